import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { fetchAccessFromUrl } from '../../src/k2hr3/userdata.ts';
import { answering } from '../http/http-server.ts';

const http = { clock: systemClock };
const SCRIPT = [
  '#!/bin/sh',
  `K2HR3_ROLE_TOKEN="${'ab'.repeat(32)}"`,
  'K2HR3_ROLE_NAME="yrn:yahoo:::t:role:c/server"',
  'K2HR3_ROLE_TENANT="yrn:yahoo:::t"',
  'K2HR3_API_HOST_URI="http://10.0.0.5:18080/"',
  'K2HR3_ERROR_MSG=""',
  'exit 0',
];

/** Answers every request with this. */
async function serve(status: number, body: string) {
  const requests: IncomingMessage[] = [];
  const url = await answering((request, response) => {
    requests.push(request);
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
  });
  return { url, requests };
}

it('asks for user data as cloud-init does, and refuses what is no 200', async () => {
  const { url, requests } = await serve(404, '{"result":false,"message":"no such"}');
  await expect(fetchAccessFromUrl(http, `${url}/v1/userdata/x`)).rejects.toThrow(
    'does not give the user data of the role',
  );
  expect(requests[0]?.headers).toMatchObject({
    'user-agent': 'Cloud-Init/24.1',
    'accept-encoding': 'gzip',
  });
});

it('a message without a script is no answer', async () => {
  const { url } = await serve(200, 'MIME-Version: 1.0\n\n#cloud-config\n# not #!/bin/sh\n');
  await expect(fetchAccessFromUrl(http, `${url}/v1/userdata/x`)).rejects.toMatchObject({
    kind: 'invalid-answer',
  });
});

it('takes the part that is a shell script, wherever it stands', async () => {
  const { url } = await serve(200, ['MIME-Version: 1.0', '', '--b', '', ...SCRIPT, ''].join('\n'));
  expect(await fetchAccessFromUrl(http, `${url}/v1/userdata/x`)).toMatchObject({
    apiUri: 'http://10.0.0.5:18080',
    roleName: 'yrn:yahoo:::t:role:c/server',
  });
});

it('any other URL is of extdata', async () => {
  const { url, requests } = await serve(404, '');
  await expect(fetchAccessFromUrl(http, `${url}/v1/extdata/trove/x`)).rejects.toThrow();
  expect(requests[0]?.url).toBe('/v1/extdata/trove/x');
  expect(requests[0]?.headers['accept-encoding']).toBe('gzip');
});
