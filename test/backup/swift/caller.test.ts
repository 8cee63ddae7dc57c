import { expect, it } from 'vitest';
import { callerOf } from '../../../src/backup/swift/caller.ts';

const CATALOG = [{ type: 'object-store' }];

it.each(['project_id', 'project', 'tenant'])('finds the project as %s', (key) => {
  expect(callerOf({ auth_token: 't', [key]: 'p', service_catalog: CATALOG })).toEqual({
    token: 't',
    projectId: 'p',
    serviceCatalog: CATALOG,
  });
});

it('prefers the newest name, unless it is empty', () => {
  const both = { auth_token: 't', project_id: 'new', tenant: 'old' };
  expect(callerOf(both).projectId).toBe('new');
  expect(callerOf({ ...both, project_id: '' }).projectId).toBe('old');
  expect(callerOf({ ...both, project_id: null }).projectId).toBe('old');
});

it('has an empty catalog when there is none', () => {
  const context = { auth_token: 't', project_id: 'p' };
  expect(callerOf(context).serviceCatalog).toEqual([]);
  expect(callerOf({ ...context, service_catalog: 'none' }).serviceCatalog).toEqual([]);
});

it.each([
  ['auth_token', { project_id: 'p' }],
  ['auth_token', { auth_token: '', project_id: 'p' }],
  ['auth_token', {}],
  ['project_id', { auth_token: 'secret' }],
  ['project_id', { auth_token: 'secret', project_id: 7 }],
])('says that there is no %s, and never the token', (lacking, context) => {
  expect(() => callerOf(context)).toThrow(`the request's context has no ${lacking}: `);
  expect(() => callerOf(context)).not.toThrow('secret');
});
