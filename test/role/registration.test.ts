import { describe, expect, it } from 'vitest';
import { parametersKey } from '../../src/role/registration.ts';
import { OTHER_PARAMETERS, PARAMETERS } from '../node/builders.ts';

describe('parametersKey', () => {
  it('is another one for another cluster or other ports, and not for another extdata URL', () => {
    const key = parametersKey(PARAMETERS);
    expect(parametersKey({ ...PARAMETERS, extdataUrl: 'http://192.0.2.1/another' })).toBe(key);
    expect(parametersKey({ ...PARAMETERS, httpProxy: 'http://192.0.2.2' })).toBe(key);
    const others = [
      parametersKey(null),
      parametersKey(OTHER_PARAMETERS),
      parametersKey({ ...PARAMETERS, serverPort: 9020 }),
      parametersKey({ ...PARAMETERS, serverControlPort: 9020 }),
      parametersKey({ ...PARAMETERS, slaveControlPort: 9020 }),
    ];
    expect(new Set([key, ...others]).size).toBe(6);
  });
});
