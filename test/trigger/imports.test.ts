import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import test from 'ava';

const ROOT = new URL('../../', import.meta.url);
/** `import ... from 'x'`, `export ... from 'x'`, `import 'x'` and `import('x')`, the last one being a later one. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*(?<later>\()?\s*)(['"])(?<specifier>[^'"]+)\2/g;
/** Types are gone when the function runs. */
const TYPES = /^import type [^;]*;/gm;

/** Every module that `entry` reaches, by our own files; and what these import from elsewhere, at once and later. */
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

test('the function needs nothing but Node and files of ours, until it has a secret to look up', (t) => {
  const { ours, others, later } = importGraph(new URL('trigger/handler.ts', ROOT));
  t.deepEqual(
    others.filter((specifier) => !specifier.startsWith('node:') || !isBuiltin(specifier)),
    [],
  );
  // Later: a cold start that needs them not is quicker.
  t.deepEqual(later.sort(), ['@aws-sdk/client-secrets-manager', 'node:https']);
  // Proof that the graph was walked.
  for (const file of ['trigger/post.ts', 'daemon/contract/signing.ts', 'daemon/contract/deepgram-params.ts'])
    t.true(ours.includes(file));
  for (const module of ['node:http', 'node:crypto']) t.true(others.includes(module));
});
