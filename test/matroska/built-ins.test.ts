import { spawnSync } from 'node:child_process';
import test from 'ava';

/** Names of built-ins, and of their properties, that importing `module` changes. */
function changedBy(module: string): string[] {
  const source = `
    const known = new Map();
    const note = (name, holder) => known.set(name, [holder, Object.getOwnPropertyDescriptors(holder)]);
    note('globalThis', globalThis);
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
      if (!/^[A-Z]/.test(key) || value === null || !['object', 'function'].includes(typeof value)) continue;
      note(key, value);
      if (value.prototype) note(key + '.prototype', value.prototype);
    }
    await import(${JSON.stringify(module)});
    const same = (a, b) => a && b && Object.is(a.value, b.value) && a.get === b.get && a.set === b.set;
    const changed = [...known].flatMap(([name, [holder, before]]) => {
      const now = Object.getOwnPropertyDescriptors(holder);
      const keys = new Set([...Reflect.ownKeys(before), ...Reflect.ownKeys(now)]);
      // fetch, which Node loads lazily, stores its dispatcher there.
      const others = [...keys].filter((key) => !String(key).includes('undici'));
      return others.filter((key) => !same(before[key], now[key])).map((key) => name + '.' + String(key));
    });
    console.log(JSON.stringify(changed));
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('the daemon’s import of ebml leaves all built-ins unchanged', (t) => {
  t.deepEqual(changedBy(new URL('../../daemon/matroska/element-ids.ts', import.meta.url).href), []);
});

test('by itself, ebml changes built-ins', (t) => {
  t.true(changedBy(import.meta.resolve('ebml')).includes('globalThis.Map'));
});
