import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** An event in the sources or in daemon/log/LOGS.md. */
interface LoggedEvent {
  readonly event: string;
  /** Sorted; an event may have more than one level. */
  readonly levels: readonly string[];
}

const EVENT = /\bevent: '(?<event>[^']+)'/g;
/** `log.warn({ event: …`: the call that logs an event's object. */
const CALL_BEFORE = /log\.(?<level>\w+)\(\s*\{\s*$/i;
/** `const fields = { event: … }`, and then `log.warn({ ...fields, …` or `log[… ? 'error' : 'warn'](…`. */
const CALLS_AFTER = /log(?:\.(?<level>\w+)|\[(?<choice>[^\]]+)\])\(\s*(?:\{\s*\.\.\.)?fields\b/gi;

/** Every event in the daemon's sources with its levels. Throws when it cannot find the log call of one. */
export function eventsInSources(): LoggedEvent[] {
  const files = globSync('daemon/**/*.ts', { cwd: ROOT });
  return merged(files.flatMap((file) => eventsIn(readFileSync(`${ROOT}${file}`, 'utf8'), file)));
}

function eventsIn(source: string, file: string): LoggedEvent[] {
  const places = [...source.matchAll(EVENT)];
  return places.map(({ index, groups }, at) => {
    const event = groups?.['event'] ?? '';
    const before = CALL_BEFORE.exec(source.slice(0, index))?.groups?.['level'];
    const after = source.slice(index, places[at + 1]?.index);
    const levels = before ? [before] : [...after.matchAll(CALLS_AFTER)].flatMap(levelsOf);
    if (levels.length === 0) throw new Error(`found no log call for ${event} in ${file}`);
    return { event, levels };
  });
}

function levelsOf({ groups }: RegExpExecArray): string[] {
  const { level, choice = '' } = groups ?? {};
  return level
    ? [level]
    : [...choice.matchAll(/\? '(\w+)' : '(\w+)'/g)].flatMap(([, one = '', other = '']) => [one, other]);
}

/** The rows of daemon/log/LOGS.md: `| event | level | when | fields |`. */
export function eventsInTable(): LoggedEvent[] {
  const text = readFileSync(`${ROOT}daemon/log/LOGS.md`, 'utf8');
  return [...text.matchAll(/^\| `(?<event>[a-z]+\.[a-z-]+)` \| (?<levels>[a-z, ]+) \|/gm)].map(({ groups }) => ({
    event: groups?.['event'] ?? '',
    levels: (groups?.['levels'] ?? '').split(', ').toSorted(),
  }));
}

function merged(events: readonly LoggedEvent[]): LoggedEvent[] {
  const byName = Map.groupBy(events, ({ event }) => event);
  return [...byName].map(([event, places]) => ({
    event,
    levels: [...new Set(places.flatMap(({ levels }) => levels))].toSorted(),
  }));
}
