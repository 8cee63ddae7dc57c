import { gzipSync } from 'node:zlib';
import type { Answer } from './answer.ts';
import { refuse, unknownCall } from './answer.ts';
import type { Call } from './call.ts';
import { registrationScript } from './extdata-routes.ts';
import { openRegisterPath } from './register-path.ts';

const BOUNDARY = '================K2HR3INIT1795360637124==';

/**
 * `GET /v1/userdata/<registerpath>` (captures 011 to 014): for cloud-init alone, the same script as
 * one part of a message. A path that is none gets a script too, one that says so.
 */
export function userdata(call: Call, passphrase: Buffer, apiUri: string): Answer {
  if (call.method !== 'GET') return unknownCall();
  if (!/cloud-init/i.test(call.headers['user-agent'] ?? '')) {
    return refuse(call, 400, 'GET request is not allowed from your client');
  }
  const content = openRegisterPath(passphrase, call.path.slice('/v1/userdata/'.length));
  const script = registrationScript(
    content ?? { role: '', token: '' },
    apiUri,
    content ? '' : 'the register path is invalid',
  );
  const body = Buffer.from(
    [
      ['text/cloud-config', 'k2hr3-cloud-config.txt', '#cloud-config\npackages:\n - curl\n'],
      ['text/x-shellscript', 'k2hr3-init.sh', script],
    ]
      .map(
        ([type = '', name = '', text = '']) =>
          `--${BOUNDARY}\nContent-Type: ${type}; charset="us-ascii"\nMIME-Version: 1.0\n` +
          `Content-Disposition: attachment; filename="${name}"\n\n${text}\n`,
      )
      .concat(`--${BOUNDARY}--\n`)
      .join(''),
  );
  if (!(call.headers['accept-encoding'] ?? '').includes('gzip')) {
    const type = `multipart/mixed; boundary="${BOUNDARY}"; charset=utf-8`;
    return { status: 200, body, headers: { 'content-type': type, 'mime-version': '1.0' } };
  }
  const headers = {
    'content-type': 'application/zip',
    'content-encoding': 'gzip',
    'content-disposition': 'attachment; filename=k2hr3-userdata.gz',
  };
  return { status: 200, body: gzipSync(body), headers };
}
