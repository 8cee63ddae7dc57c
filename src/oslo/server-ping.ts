import { idOf, type RpcRequest } from './rpc-request.ts';
import type { Dispatcher } from './rpc-server.ts';

/** What opens a request and closes its result: with encryption, where there is any. */
interface RequestSerializer {
  /** Throws for a context that it cannot read. */
  decodeContext(context: RpcRequest['context'], id: string): unknown;
  /** Throws for arguments that it cannot read. */
  decodeArgs(args: RpcRequest['args']): unknown;
  encodeResult(result: string): unknown;
}

/** The method that every server of oslo.messaging answers when rpc_ping_enabled is on. */
const PING = 'oslo_rpc_server_ping';

/**
 * Answers the ping of oslo.messaging with `pong`, whatever its arguments, and passes everything else
 * on. The ping is encrypted like any other request: oslo.messaging puts all of them through the
 * serializer.
 */
export function withServerPing(dispatcher: Dispatcher, serializer: RequestSerializer): Dispatcher {
  return {
    async dispatch(request, accepted) {
      if (request.method !== PING) return dispatcher.dispatch(request, accepted);
      serializer.decodeContext(request.context, idOf(request));
      serializer.decodeArgs(request.args);
      return serializer.encodeResult('pong');
    },
  };
}
