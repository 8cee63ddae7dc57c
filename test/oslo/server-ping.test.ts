import { describe, expect, it } from 'vitest';
import { decodeRequest } from '../../src/oslo/rpc-request.ts';
import { withServerPing } from '../../src/oslo/server-ping.ts';

const OTHERS = { dispatch: () => Promise.resolve('from the others') };
const SERIALIZER = {
  decodeContext: (context: unknown) => context,
  decodeArgs: (args: unknown) => args,
  encodeResult: (result: string) => `sealed ${result}`,
};

function ask(method: string, serializer = SERIALIZER): Promise<unknown> {
  const request = decodeRequest(JSON.stringify({ method, args: { any: 1 } }));
  return withServerPing(OTHERS, serializer).dispatch(request, () => undefined);
}

describe('withServerPing', () => {
  it('answers the ping, through the serializer, and nothing else', async () => {
    expect(await ask('oslo_rpc_server_ping')).toBe('sealed pong');
    expect(await ask('rpc_ping')).toBe('from the others');
  });

  it.each(['decodeContext', 'decodeArgs'] as const)('refuses what fails in %s', async (part) => {
    const refuse = (): never => {
      throw new Error('not encrypted with the key');
    };
    const asked = ask('oslo_rpc_server_ping', { ...SERIALIZER, [part]: refuse });
    await expect(asked).rejects.toThrow('not encrypted with the key');
  });
});
