import { AgentError } from '../../base/errors.ts';
import { readPlainFile } from '../../host/plain-file.ts';

/**
 * What cloud-init writes when the metadata has no id, or when there is no metadata: the same on every
 * such VM (read in cloudinit/sources of its master of 2026-08: DataSource.get_instance_id and the
 * defaults of each data source). The last four are examples of its documentation, which people copy.
 */
const SHARED_IDS = new Set([
  'iid-datasource',
  'iid-datasource-none',
  'iid-datasource-wsl',
  'iid-azure-node',
  'iid-dsconfigdrive',
  'iid-dsopennebula',
  'iid-dsopenstack',
  'iid-dsovf',
  'nocloud',
  '455', // AltCloud
  'null',
  'none',
  'iid-local01',
  'iid-abcdefg',
  'someid/somehostname',
  'cloud-vm',
]);

/**
 * The id of this VM, from the file into which cloud-init writes it.
 *
 * @param registered the id in this VM's registration, if there is one: it goes on to count when the
 *   file holds none, as after a boot without the metadata service.
 * @throws AgentError, retryable, for an id that is missing, or that other VMs have too.
 */
export async function readInstanceId(file: string, registered?: string): Promise<string> {
  const id = (await readPlainFile(file).catch(() => '')).trim();
  const isShared = SHARED_IDS.has(id.toLowerCase());
  if (id !== '' && !isShared) return id;
  if (registered !== undefined) return registered;
  const what = isShared
    ? `${file} holds ${id}, which cloud-init gives to every VM without metadata: have the metadata service answer and run "cloud-init clean --reboot"`
    : `${file} holds no instance id: cloud-init writes it`;
  throw new AgentError(`${what}, or name another file as paths.instance_id_file`, {
    retryable: true,
  });
}
