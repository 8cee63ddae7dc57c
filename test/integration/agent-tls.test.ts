import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { Broker } from '../peers/broker.ts';
import { freePorts } from '../peers/free-ports.ts';
import { standIns } from '../story/programs.ts';
import { Stage } from '../story/stage.ts';

it('the whole agent over TLS: CA, client certificate and host name verification', async () => {
  const directory = await temporaryDirectory();
  const broker = new Broker(inject('broker'));
  const ca = await CertificateAuthority.make(directory);
  const server = await ca.issue('server', { name: 'IP:127.0.0.1' });
  const client = await ca.issue('client', { name: 'DNS:guest' });
  const [port = 0] = await freePorts(1);
  await broker.startTlsListener(port, { caFile: ca.caFile, ...server, clientCertificate: true });

  const stage = await Stage.open(broker, directory, await standIns(directory));
  onTestFinished(() => stage.close());
  const actor = await stage.actor('tls');
  const file = path.join(actor.vm.path('conf.d'), 'trove-guestagent.conf');
  const plain = await readFile(file, 'utf8');
  expect(plain).toContain(`:${broker.description.port}/`);
  const encrypted = plain.replace(`:${broker.description.port}/`, `:${port}/`);
  const options = `[oslo_messaging_rabbit]
ssl = true
ssl_ca_file = ${ca.caFile}
ssl_cert_file = ${client.certFile}
ssl_key_file = ${client.keyFile}
ssl_enforce_hostname_verification = true
`;
  await writeFile(file, encrypted + options);

  await stage.prepare(actor, { clustered: true });
  await actor.vm.startAgent();
  await stage.trove.waitForStatus(actor.id, 'healthy');
  expect(await stage.trove.api(actor.id, 'rpc_ping', {})).toBe(true);
});
