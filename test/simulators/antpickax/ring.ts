import { listsSlave, nodeId, type Configuration } from './configuration.ts';
import { CutOff } from './cut-off.ts';
import type { Hazards } from './hazards.ts';
import { Link, type Attachment } from './link.ts';
import { leave, operating, success } from './merge-commands.ts';
import { isMissing, Missing } from './missing.ts';
import { Peers, type Connected } from './peers.ts';
import type { Answer, Hello, Order, Question } from './protocol.ts';
import type { Others } from './others.ts';
import { RingNode, type Rejoin } from './ring-node.ts';
import { RingView, type Member } from './ring-view.ts';
import { Router } from './router.ts';
import type { Settings } from './settings.ts';
import { isOperating, serviceOut, slaveUp, type Status } from './status.ts';

/** What a node of a ring is made of. */
export interface RingOptions {
  configuration: Configuration;
  settings: Settings;
  hazards: Hazards;
  /** Something that a report shows has changed. */
  changed: () => void;
  attached: (attachment: Attachment) => void;
  detached: (pid: number) => void;
  /** Ends this chmpx as a failure. */
  fail: () => void;
}

/** When a server is tried that nobody has heard of yet (docs/contracts/ring.md, 2.3). */
const RETRY = 12_500;
/** The same for a slave. */
const SLAVE_RETRY = 500;

/** One node among the others: what it knows of them, and what they do together. */
export class Ring implements Others {
  readonly view: RingView;
  readonly node: RingNode;
  readonly link: Link;
  readonly peers: Peers;
  readonly #options: RingOptions;
  readonly #router: Router;
  readonly #missing: Missing;
  readonly #self: string;
  #configuration: Configuration;
  readonly #cutOff: CutOff;
  #cancelRetry: () => void = () => undefined;

  constructor(options: RingOptions) {
    const { configuration, settings, hazards } = options;
    const { clock, address, keepAlive, mergeTime, patience } = settings;
    this.#options = options;
    this.#configuration = configuration;
    this.#self = nodeId(configuration, configuration.self);
    this.view = new RingView(configuration);
    this.peers = new Peers({
      address,
      keepAlive,
      hello: (to) => this.#hello(to),
      knows: (hello) => this.#knows(hello),
      greeted: (hello) => this.#greeted(hello),
      seen: (id, status) => this.#seen(id, status),
      lost: (id) => this.#cutOff.lost(id),
      ordered: (order) => this.#ordered(order),
      asked: (question) => this.#asked(question),
    });
    this.link = new Link({
      attached: options.attached,
      detached: options.detached,
      asked: (question) => this.#router.request(question),
    });
    const { view, peers, link } = this;
    this.#missing = new Missing({ clock, view, peers, changed: () => this.#othersChanged() });
    const { isSlave } = this;
    this.#cutOff = new CutOff({ view, peers, isSlave, set: (...it) => this.#set(...it) });
    this.#router = new Router({ clock, self: this.#self, view, peers, link, patience });
    this.node = new RingNode({
      clock,
      autoMerge: configuration.autoMerge,
      others: this,
      strikes: (hazard) => hazards.strikes(hazard, this.#place),
      mergeTime,
      changed: () => this.#changed(),
    });
    this.#changed();
  }

  get isSlave(): boolean {
    return this.#configuration.mode === 'SLAVE';
  }

  get status(): Readonly<Status> {
    return this.isSlave ? slaveUp : this.node.status;
  }

  get disagree(): boolean {
    return this.peers.servers.some(({ node, name }) => this.view.find(node)?.server.name !== name);
  }

  get alone(): boolean {
    return !this.view.others.some(({ status }) => status.live === 'UP');
  }

  get operating(): boolean {
    return this.view.others.some(({ status }) => isOperating(status));
  }

  get doing(): boolean {
    return this.view.others.some(({ status }) => status.operation === 'Doing');
  }

  pull(): Promise<number> {
    return this.#router.pull();
  }

  order(order: Order): void {
    this.peers.order(order);
    this.#missing.order(order);
  }

  collide(): 'wait' | 'hang' | 'fall' {
    const { hazards, settings, fail } = this.#options;
    if (!hazards.strikes('together', this.#place)) return 'wait';
    const victim = this.view.others.find(({ status }) => status.ring === 'SERVICE IN');
    if (victim === undefined || hazards.draw('fall', this.#place) > 1 / 3) return 'hang';
    this.peers.order({ name: 'fallBack', node: victim.id });
    settings.clock.after(5000, fail);
    return 'fall';
  }

  /** Finds the others at the start. */
  async meet(): Promise<void> {
    const met = await this.#connectAll();
    const strikes = (): boolean => this.#options.hazards.strikes('early', this.#place);
    if (!this.isSlave && met.includes('refused') && strikes()) this.node.strand();
    this.#retryLater();
  }

  /** Takes over another ini. Servers that it brings are tried after a while. */
  configure(configuration: Configuration): void {
    this.#configuration = configuration;
    this.view.configure(configuration);
    this.node.autoMerge = configuration.autoMerge;
    this.#retryLater();
  }

  /** A k2hdkc has attached. */
  join(rejoin: Rejoin): void {
    if (!this.isSlave) this.node.join(rejoin);
  }

  /** SERVICEOUT of another server. */
  async expel({ id, status }: Member): Promise<string> {
    if (this.view.operating) return operating;
    if (status.ring === 'SERVICE OUT') return 'SUCCEED: Already server has been SERVICEOUT.';
    const failure = 'ERROR: Failed to send status notice to other servers.';
    if (status.live === 'UP') {
      const answer = await this.peers.ask(id, { kind: 'serviceOut' });
      return answer !== undefined && 'text' in answer ? answer.text : failure;
    }
    const next = serviceOut(status);
    if (next === undefined) return failure;
    this.#missing.settle(id, next);
    return success;
  }

  get #place(): number {
    return this.view.members.findIndex(({ id }) => id === this.#self);
  }

  #hello(to: string): Hello {
    const { group, self } = this.#configuration;
    const { name, ctlport, cuk, seed } = self;
    return {
      kind: 'hello',
      group,
      node: this.#self,
      name,
      ctlport,
      cuk,
      seed,
      status: this.status,
      seen: this.view.find(to)?.status,
      missing: this.#missing.members.map(({ id, status }) => [id, status]),
    };
  }

  #knows(hello: Hello): boolean {
    return hello.status.ring === 'SLAVE'
      ? listsSlave(this.#configuration, hello)
      : this.view.find(hello.node) !== undefined;
  }

  #greeted({ seen, missing }: Hello): void {
    const returns = seen !== undefined && isMissing(seen) && this.status.ring === 'SERVICE OUT';
    if (returns) this.node.remember(seen);
    for (const [id, status] of missing) {
      if (this.view.find(id)?.status.live === 'DOWN') this.view.set(id, status);
    }
  }

  #seen(id: string, status: Status): void {
    const wasUp = this.view.find(id)?.status.live === 'UP';
    this.#set(id, status);
    this.#cutOff.heard(id, wasUp);
  }

  #set(id: string, status: Status): void {
    this.view.set(id, status);
    this.#othersChanged();
    if (isMissing(status) && this.node.automatic && !this.isSlave) this.#missing.evict(id);
  }

  #ordered(order: Order): void {
    if (order.name === 'dead') this.#missing.heard(order.node, order.status);
    else if (this.#cutOff.told(order)) return;
    else if (order.name === 'fallBack' && order.node !== this.#self) return;
    else {
      this.#missing.order(order);
      if (!this.isSlave) this.node.obey(order);
    }
  }

  async #asked(question: Question): Promise<Answer> {
    if (question.kind === 'serviceOut') return { text: leave(this.node).text };
    if (question.kind !== 'pull' && question.kind !== 'take') return this.#router.serve(question);
    return (await this.link.ask(question)) ?? { entries: [] };
  }

  #changed(): void {
    if (!this.isSlave) {
      this.view.set(this.#self, this.status);
      this.peers.tellStatus(this.status);
    }
    this.#options.changed();
  }

  #othersChanged(): void {
    this.#options.changed();
    this.node.othersChanged();
  }

  async #connectAll(): Promise<Connected[]> {
    const connect = ({ id, server }: Member): Promise<Connected> =>
      this.peers.connect(id, server.name, server.port);
    const tried = this.#cutOff.worthTrying();
    const met = await Promise.all(tried.map(connect));
    this.#cutOff.refusedBy(tried.filter((_, at) => met[at] === 'refused').map(({ id }) => id));
    return met;
  }

  #retryLater(): void {
    this.#cancelRetry();
    const wait = this.isSlave ? SLAVE_RETRY : RETRY;
    this.#cancelRetry = this.#options.settings.clock.after(wait, () => {
      void this.#connectAll().then(() => {
        this.#retryLater();
      });
    });
  }
}
