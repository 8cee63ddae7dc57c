/**
 * Why a role is not that of the cluster that was asked for; null when it is, or when no cluster was named.
 * A node in another cluster's role is a server that the others wait for, and that never comes.
 *
 * @param clusterName `cluster-name` of the configuration group; empty for a slave that names none
 * @param roleName yrn of the role that the extdata URL leads to; K2HR3 writes it in small letters
 */
export function whyOtherCluster(clusterName: string, roleName: string): string | null {
  const [, name = ''] = /:role:([^/]+)/.exec(roleName) ?? [];
  if (clusterName === '' || name.toLowerCase() === clusterName.toLowerCase()) return null;
  return `cluster-name is ${clusterName}, but the extdata-url is that of the cluster ${name}: take both from the same cluster`;
}
