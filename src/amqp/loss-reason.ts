/** Features that the broker may forbid, and what to set instead of permitting them. */
const INSTEAD: Readonly<Record<string, string>> = {
  transient_nonexcl_queues:
    'RabbitMQ 4.3 refuses queues that are neither durable nor exclusive; set rabbit_quorum_queue and rabbit_transient_quorum_queue (or rabbit_stream_fanout) in [oslo_messaging_rabbit] here and in Trove',
};

/**
 * Why a connection was lost, in words that say what to do where the broker's do not:
 * `541 (INTERNAL-ERROR) … Feature \`transient_nonexcl_queues\` is deprecated. Its use is not permitted …`
 * is the answer of RabbitMQ 3.13 to 4.3 to whatever uses a feature that is denied there (read in its
 * rabbit_deprecated_features and in reports; 4.3 denies this one unless it is configured otherwise).
 */
export function lossReason(message: string): string {
  const [, feature] = /Feature `(\w+)` is deprecated/.exec(message) ?? [];
  if (feature === undefined) return message;
  const instead = INSTEAD[feature];
  const permit = `deprecated_features.permit.${feature} = true at the broker`;
  return instead === undefined
    ? `the broker permits no ${feature}; set ${permit}`
    : `${instead}, or ${permit}`;
}
