import type { OutgoingMessage, Publisher, PublishOutcome } from '../../src/amqp/message.ts';
import { decodeEnvelope, type JsonObject } from '../../src/oslo/envelope.ts';

type Answer = PublishOutcome | Error | Promise<PublishOutcome>;

/** A publisher whose answers a test writes; when they run out everything is confirmed. */
export class ScriptedPublisher implements Publisher {
  readonly published: OutgoingMessage[] = [];
  readonly #answers: Answer[];

  constructor(...answers: Answer[]) {
    this.#answers = answers;
  }

  publish(message: OutgoingMessage): Promise<PublishOutcome> {
    this.published.push(message);
    const answer = this.#answers.shift() ?? 'confirmed';
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }

  /** What was published, out of its envelope. */
  get messages(): JsonObject[] {
    return this.published.map(({ content }) => decodeEnvelope(content.toString()));
  }
}
