import { globSync, readFileSync } from 'node:fs';
import test from 'ava';
import { eventsInSources, eventsInTable } from './events.ts';

const byName = (one: { event: string }, other: { event: string }) => (one.event < other.event ? -1 : 1);

test('daemon/log/LOGS.md lists the daemon’s events and their levels, in alphabetical order, and no other', (t) => {
  const table = eventsInTable();
  t.deepEqual(table, table.toSorted(byName));
  t.deepEqual(table, eventsInSources().toSorted(byName));
});

test('every log line of the daemon is an event', (t) => {
  const calls = /\blog\.(debug|info|warn|error)\((?<fields>\s*\{\s*event: |\s*\{\s*\.\.\.fields|\s*fields\b)?/g;
  // The session's log passes on the lines of others.
  for (const file of globSync('daemon/**/*.ts', { exclude: ['daemon/session/session-log.ts'] })) {
    for (const { 0: call, groups } of readFileSync(file, 'utf8').matchAll(calls))
      t.truthy(groups?.['fields'], `${file}: ${call}`);
  }
});

test('daemon/log/LOGS.md lists the events of the trigger', (t) => {
  const sources = globSync('trigger/*.ts').map((file) => readFileSync(file, 'utf8'));
  const events = sources.flatMap((source) => [...source.matchAll(/\blog\.\w+\('([^']+)'|Log\.\w+\('([^']+)'/g)]);
  const table = readFileSync('daemon/log/LOGS.md', 'utf8');
  t.true(events.length > 0);
  for (const [, one, other] of events) t.true(table.includes(`\`${one ?? other}\``), one ?? other);
});
