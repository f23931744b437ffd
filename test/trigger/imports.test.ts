import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import test from 'ava';

const ROOT = new URL('../../', import.meta.url);
/** `import ... from 'x'`, `export ... from 'x'`, `import 'x'`, and `import('x')`, which is loaded later. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*(?<later>\()?\s*)(['"])(?<specifier>[^'"]+)\2/g;
/** Types do not exist at run time. */
const TYPES = /^import type [^;]*;/gm;

/** Our files that `entry` imports, directly or not, and what they import from elsewhere: at once, and later. */
function importGraph(entry: URL) {
  const ours = new Set<string>();
  const others = new Set<string>();
  const later = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (ours.has(file.href)) continue;
    ours.add(file.href);
    for (const { groups } of readFileSync(file, 'utf8').replaceAll(TYPES, '').matchAll(SPECIFIER)) {
      const specifier = groups?.['specifier'] ?? '';
      if (specifier.startsWith('.')) waiting.push(new URL(specifier, file));
      else if (groups?.['later']) later.add(specifier);
      else others.add(specifier);
    }
  }
  return { ours: [...ours].map((href) => href.slice(ROOT.href.length)), others: [...others], later: [...later] };
}

test('the function needs only Node and our own files, until it reads a secret', (t) => {
  const { ours, others, later } = importGraph(new URL('trigger/handler.ts', ROOT));
  t.deepEqual(
    others.filter((specifier) => !specifier.startsWith('node:') || !isBuiltin(specifier)),
    [],
  );
  // Loaded later, so that cold starts without them are faster.
  t.deepEqual(later.sort(), ['@aws-sdk/client-secrets-manager', 'node:https']);
  // Proof that the imports were followed.
  for (const file of ['trigger/post.ts', 'daemon/contract/signing.ts', 'daemon/contract/deepgram-params.ts'])
    t.true(ours.includes(file));
  for (const module of ['node:http', 'node:crypto']) t.true(others.includes(module));
});
