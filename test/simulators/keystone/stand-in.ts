import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';

/** A project as Keystone knows it. */
export interface KeystoneProject {
  id: string;
  /** Where its objects are: the public endpoint of object-store. */
  swiftUrl: string;
  /** Makes a token that Swift accepts for it. */
  token: () => Promise<string>;
}

/** A request for a token, and its answer. */
export interface TokenRequest {
  projectId: string;
  status: number;
}

const TokenOrder = v.object({
  auth: v.object({
    identity: v.object({
      methods: v.tuple([v.literal('token')]),
      token: v.object({ id: v.string() }),
    }),
    scope: v.object({ project: v.object({ id: v.string() }) }),
  }),
});

const REGION = 'RegionOne';

/**
 * The part of Keystone v3 that exchanges a user's token for one of a project, with the catalog. As
 * unkind as the real one: whoever may not, and whatever is not there, is 401 alike.
 */
export class KeystoneStandIn {
  /** What was asked for so far. */
  readonly requests: TokenRequest[] = [];
  /** Whatever is asked is answered with this status. Default: as it should be. */
  fail: number | undefined;
  readonly #server: Server;
  readonly #projects: readonly KeystoneProject[];
  readonly #tokens = new Set<string>();

  private constructor(projects: readonly KeystoneProject[]) {
    this.#projects = projects;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(projects: readonly KeystoneProject[]): Promise<KeystoneStandIn> {
    const keystone = new KeystoneStandIn(projects);
    keystone.#server.listen(0, '127.0.0.1');
    await once(keystone.#server, 'listening');
    return keystone;
  }

  /** The auth_url of `[service_credentials]`, as Trove's documentation writes it. */
  get authUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v3`;
  }

  /** A user's token as it comes with a request: good for Keystone, and not for Swift. */
  userToken(): string {
    const token = `gAAAAA${randomBytes(24).toString('base64url')}`;
    this.#tokens.add(token);
    return token;
  }

  /** From now on this token has expired. */
  expire(token: string): void {
    this.#tokens.delete(token);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.method !== 'POST' || request.url !== '/v3/auth/tokens') {
      refuse(response, 404);
      return;
    }
    const order = v.safeParse(TokenOrder, parsed(body));
    const projectId = order.success ? order.output.auth.scope.project.id : '';
    const project = this.#projects.find(({ id }) => id === projectId);
    const known = order.success && this.#tokens.has(order.output.auth.identity.token.id);
    const status = this.fail ?? (!order.success ? 400 : project && known ? 201 : 401);
    this.requests.push({ projectId, status });
    if (status === 201 && project) await grant(response, project);
    else refuse(response, status);
  }
}

async function grant(response: ServerResponse, project: KeystoneProject): Promise<void> {
  const endpoint = (kind: string, url: string): Record<string, string> => ({
    id: randomBytes(16).toString('hex'),
    interface: kind,
    url,
    region: REGION,
    region_id: REGION,
  });
  // An unused port, so that whoever takes the wrong endpoint is found out.
  const endpoints = [
    endpoint('internal', 'http://127.0.0.1:1/v1'),
    endpoint('public', project.swiftUrl),
  ];
  const token = {
    methods: ['token'],
    audit_ids: [randomBytes(16).toString('base64url')],
    expires_at: '2100-01-01T00:00:00.000000Z',
    project: { id: project.id, name: project.id, domain: { id: 'default', name: 'Default' } },
    roles: [{ id: randomBytes(16).toString('hex'), name: 'member' }],
    catalog: [
      { id: 'i', type: 'identity', name: 'keystone', endpoints: [] },
      { id: 's', type: 'object-store', name: 'swift', endpoints },
    ],
  };
  response.writeHead(201, {
    'Content-Type': 'application/json',
    'X-Subject-Token': await project.token(),
    Vary: 'X-Auth-Token',
  });
  response.end(JSON.stringify({ token }));
}

const TITLES: Record<number, [title: string, message: string]> = {
  400: ['Bad Request', 'Expecting to find valid JSON in the request body.'],
  401: ['Unauthorized', 'The request you have made requires authentication.'],
  404: ['Not Found', 'The resource could not be found.'],
};

function refuse(response: ServerResponse, code: number): void {
  const [title, message] = TITLES[code] ?? ['Service Unavailable', 'The service is unavailable.'];
  response.writeHead(code, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message, title } }));
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
