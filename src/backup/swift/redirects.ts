import { MOST_REDIRECTS, redirectOf } from '../../http/redirect.ts';
import type { HttpBody } from '../../http/send-body.ts';
import type { HttpAnswer } from '../../http/send.ts';
import { redirected, unanswered } from './swift-error.ts';
import type { SwiftCall } from './swift-http.ts';

/**
 * Follows Swift to another place on the same host, as from http to https. A redirect that stands for good (301,
 * 308) is remembered for all later calls, any other one for one call only (RFC 9110, 15.4).
 */
export class Redirects {
  #account: string;
  /** Calls whose body was on its way when they were redirected for once: where the next try goes. */
  readonly #nextTries = new Map<string, URL>();

  /** @param account its URL, without a slash at the end. */
  constructor(account: string) {
    this.#account = account;
  }

  /** Where the account is by what is known now. */
  get account(): string {
    return this.#account;
  }

  /**
   * The answer to a call, from wherever it is answered. The call stays the same, as keystoneauth does it.
   *
   * @throws SwiftError for a place where the token must not go, and what `exchange` throws. When part of a
   *   body has been sent it cannot be sent again here; another try goes to the new place.
   */
  async follow(
    call: SwiftCall,
    exchange: (at: SwiftCall) => Promise<HttpAnswer>,
  ): Promise<HttpAnswer> {
    const body = call.body === undefined ? null : new OnceBegun(call.body);
    const key = `${call.method} ${call.url.href}`;
    let url = this.#nextTries.get(key) ?? call.url;
    this.#nextTries.delete(key);
    let isPermanent = url === call.url;
    for (let hops = 0; ; hops++) {
      const answer = await exchange({ ...call, url, body: body?.body });
      const to = redirectOf(answer, url);
      if (to === null) return answer;
      answer.end();
      if (to.url === null) {
        const why = notThere(to.place, this.#below(call.url));
        throw redirected(call.what, answer.status, to.place, why);
      }
      if (hops === MOST_REDIRECTS) throw redirected(call.what, answer.status, to.place, TOO_OFTEN);
      isPermanent &&= to.isPermanent && isSamePath(to.url, url);
      if (isPermanent) this.#account = to.url.origin + new URL(this.#account).pathname;
      if (body?.isBegun) {
        if (!isPermanent) this.#nextTries.set(key, to.url);
        throw unanswered(call.what, `it redirects to ${to.place}`);
      }
      url = to.url;
    }
  }

  /** The path of a call below the account. */
  #below({ pathname }: URL): string {
    return pathname.slice(new URL(this.#account).pathname.length);
  }
}

/** @param below what follows the account in `place`, if that is the same call at another Swift. */
function notThere(place: string, below: string): string {
  const isAccount = place.endsWith(below);
  const account = isAccount ? place.slice(0, place.length - below.length) : 'the right one';
  return `where the token must not go by itself; if that is right let swift_url, or the endpoint in Keystone, lead to the account ${account}`;
}

const TOO_OFTEN = `after ${MOST_REDIRECTS} other places`;

function isSamePath(one: URL, other: URL): boolean {
  return one.pathname === other.pathname && one.search === other.search;
}

/** Knows whether any of a body was taken. Bytes at hand can be sent again. */
class OnceBegun {
  readonly body: HttpBody;
  isBegun = false;

  constructor(body: HttpBody) {
    if (body instanceof Uint8Array) this.body = body;
    else {
      this.body = {
        [Symbol.asyncIterator]: () => {
          this.isBegun = true;
          return body[Symbol.asyncIterator]();
        },
      };
    }
  }
}
