import { describe, expect, it } from 'vitest';
import { parseRoutes, parseRules } from '../../src/network/ip-output.ts';

describe('what ip(8) prints (iproute2 6.1)', () => {
  it('of rules: ours alone', () => {
    const text =
      '[{"priority":0,"src":"all","table":"local"},{"priority":27442,"src":"10.0.0.5","table":"27442"},{"priority":27442,"src":"10.9.0.0","srclen":16,"table":"27442"},{"priority":27443,"src":"10.0.0.5","table":"main"},{"priority":27450,"src":"all","ipproto":"tcp","dport":8020,"table":"27442"},{"priority":32766,"src":"all","table":"main"}]';
    expect(parseRules(text)).toEqual([
      { priority: 27442, table: 27442, from: '10.0.0.5' },
      { priority: 27450, table: 27442, toPort: 8020 },
    ]);
  });

  it('of routes: the main table’s, cheapest first, and ours', () => {
    const text =
      '[{"dst":"default","gateway":"10.0.0.1","dev":"e0","table":"27442","prefsrc":"10.0.0.5","flags":[]},{"dst":"default","gateway":"10.0.0.9","dev":"e0","metric":500,"flags":[]},{"dst":"default","gateway":"10.0.0.1","dev":"e0","flags":[]},{"dst":"10.0.0.0/24","dev":"e0","protocol":"kernel","scope":"link","prefsrc":"10.0.0.5","flags":[]},{"type":"local","dst":"10.0.0.5","dev":"e0","table":"local"},{"dst":"fe80::/64","dev":"e0","metric":256}]';
    expect(parseRoutes(text)).toEqual({
      main: [
        { table: 254, to: 'default', via: '10.0.0.1', port: 'e0' },
        { table: 254, to: '10.0.0.0/24', port: 'e0', from: '10.0.0.5' },
        { table: 254, to: 'default', via: '10.0.0.9', port: 'e0' },
      ],
      ours: [{ table: 27442, to: 'default', via: '10.0.0.1', port: 'e0', from: '10.0.0.5' }],
    });
  });

  it('of routes with several gateways: one for each, as the port needs it', () => {
    const text =
      '[{"dst":"default","metric":1024,"flags":[],"nexthops":[{"gateway":"fe80::1","dev":"e1","weight":1,"flags":[]},{"gateway":"fe80::2","dev":"e0","weight":1,"flags":["onlink"]},{"weight":1}]},{"dst":"10.8.0.0/16","via":{"family":"inet6","host":"fe80::1"},"dev":"e1","flags":[],"metrics":[{"advmss":1000,"mtu":1300}]}]';
    expect(parseRoutes(text).main).toEqual([
      { table: 254, to: '10.8.0.0/16', via: 'fe80::1', port: 'e1', mtu: 1300 },
      { table: 254, to: 'default', via: 'fe80::1', port: 'e1' },
      { table: 254, to: 'default', via: 'fe80::2', port: 'e0', onlink: true },
    ]);
  });

  it('is nothing at all when there is nothing', () => {
    expect(parseRules('')).toEqual([]);
    expect(parseRoutes('[]')).toEqual({ main: [], ours: [] });
  });

  it.each(['{}', '[{"dst":5}]', 'Error'])('is not %s', (text) => {
    expect(() => parseRoutes(text)).toThrow();
  });
});
