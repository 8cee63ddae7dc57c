import { K2hr3Error, refusal } from './k2hr3-error.ts';
import type { RoleAccess } from './extdata.ts';
import { request } from './http.ts';
import type { HttpOptions, HttpResponse } from './exchange.ts';
import { parseAnswer } from './json-answer.ts';

/** The role resource: the same as at the last reading, or its new text. */
export type ResourceReading =
  | { changed: false }
  | {
      changed: true;
      /** To be given to the next reading; absent when the answer had none. */
      etag: string | undefined;
      /** The ini of the whole cluster as K2HR3 expands it: unchecked text of other people. */
      text: string;
    };

/**
 * Reads the role's expanded resource, unless it still is the one with this `etag`. Only the shape
 * of the answer is checked: after a stall K2HR3 can answer with the value of another read
 * (docs/contracts/k2hr3.md, 7.2), so the text must be parsed and validated before anything is done
 * with it.
 *
 * @throws K2hr3Error; 401 and 404 prove nothing about the token or the role
 *   (docs/contracts/k2hr3.md, 7.1).
 */
export async function readResource(
  http: HttpOptions,
  access: RoleAccess,
  etag?: string,
): Promise<ResourceReading> {
  const answer = await get(http, access, '', etag === undefined ? {} : { 'if-none-match': etag });
  if (answer.status === 304 && etag !== undefined) return { changed: false };
  const text = textOf(answer);
  return { changed: true, etag: answer.headers.etag, text };
}

/**
 * Reads one key of the role's resource, such as `chmpx-mode`. A success proves that the token is
 * valid and that K2HR3's backend answers at this moment.
 *
 * @throws K2hr3Error, as `readResource`; also when the value is not text.
 */
export async function readResourceKey(
  http: HttpOptions,
  access: RoleAccess,
  key: string,
): Promise<string> {
  return textOf(await get(http, access, `?type=keys&keyname=${encodeURIComponent(key)}`, {}));
}

function get(
  http: HttpOptions,
  { apiUri, roleName, roleToken }: RoleAccess,
  query: string,
  headers: Record<string, string>,
): Promise<HttpResponse> {
  const resource = encodeURI(roleName.replace(':role:', ':resource:'));
  return request(
    {
      method: 'GET',
      url: `${apiUri}/v1/resource/${resource}${query}`,
      headers: { 'x-auth-token': `R=${roleToken}`, ...headers },
    },
    http,
  );
}

function textOf(answer: HttpResponse): string {
  if (answer.status !== 200) throw refusal('does not give the role resource', answer);
  const { resource } = parseAnswer(answer);
  if (typeof resource === 'string') return resource;
  throw new K2hr3Error(
    'invalid-answer',
    `K2HR3 at ${answer.origin} answered with a resource that is not text`,
  );
}
