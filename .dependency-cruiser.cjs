// The floors of the house: imports run downwards only, and in no circle. Shown in docs/architecture.md.
const floors = ['cli', 'app', 'guest', 'node', 'role', 'ring', 'ini'];
// Rooms beside the floors: they know nothing of a node, and every floor may use them.
const trades = [
  'backup',
  'k2hr3',
  'trove',
  'process',
  'network',
  'oslo',
  'amqp',
  'http',
  'host',
  'config',
  'base',
];

// A new folder of src belongs into one of the two lists.
const unlisted = { path: '^src/', pathNot: `^src/(${[...floors, ...trades].join('|')})/` };
const inside = (rooms) => `^src/(${rooms.join('|')})/`;
const noImport = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    // A room that is in neither list would have no rule: it imports something, or something imports it.
    { name: 'every-room-is-listed', severity: 'error', from: unlisted, to: {} },
    { name: 'every-room-that-is-used-is-listed', severity: 'error', from: {}, to: unlisted },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    ...floors
      .slice(1)
      .map((floor, n) =>
        noImport(`${floor}-imports-downwards`, inside([floor]), inside(floors.slice(0, n + 1))),
      ),
    noImport('trades-know-no-floor', inside(trades), inside(floors)),
    noImport('http-knows-no-peer', '^src/http/', '^src/(?!(http|host|base)/)'),
    noImport('base-knows-nothing', '^src/base/', '^src/(?!base/)'),
    noImport('src-knows-no-test', '^src/', '^(test|bench|scripts)/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // an import of a type is an import
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.cjs', '.js'] },
  },
};
