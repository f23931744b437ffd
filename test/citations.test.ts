import { existsSync, readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';

/** `daemon/README.md`, with the cited part: `, "Rooms"` or `, decision 6`. */
const CITATION = /(?<path>[\w./-]*\b[\w-]+\.md)\b(?:, "(?<heading>[^"]+)"|, decision (?<decision>\d+))?/g;
/** Of a link in Markdown only its target is a citation. */
const LINK = /\[[^\]]*\]\(([^)#]*)(?:#[^)]*)?\)/g;
/** Sources, and documents that cite each other. */
const FILES = '{daemon,trigger,cdk,packer,systemd,test}/**/*.{ts,js,sh,hcl,yaml,html,css,md}';
const TOP_LEVEL = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', '.ci/run'];

interface Citation {
  readonly file: string;
  readonly path: string;
  readonly heading: string | undefined;
  readonly decision: string | undefined;
}

const citations = await allCitations();

test('every document that is cited is in the repository', (t) => {
  const missing = citations.filter(({ file, path }) => documentsOf(file, path).length === 0);
  t.deepEqual(
    missing.map(({ file, path }) => `${file}: ${path}`),
    [],
  );
  // Proof that the sources were read.
  t.true(citations.length > 100);
});

test('every heading and every decision that is cited exists', (t) => {
  const offenses = citations.flatMap(({ file, path, heading, decision }) => {
    const texts = documentsOf(file, path).map((document) => readFileSync(document, 'utf8'));
    if (heading !== undefined && !texts.some((text) => hasHeading(text, heading)))
      return [`${file}: ${path}, "${heading}"`];
    if (decision !== undefined && !texts.some((text) => text.includes(`\n${decision}. `)))
      return [`${file}: ${path}, decision ${decision}`];
    return [];
  });
  t.deepEqual(offenses, []);
});

async function allCitations(): Promise<Citation[]> {
  const found: Citation[] = [];
  const files = [...TOP_LEVEL];
  for await (const file of glob(FILES, { exclude: (name) => /^(fixtures|artefacts|cdk\.out)$/.test(name) }))
    files.push(file);
  for (const file of files) {
    // A citation may be wrapped between the lines of a comment.
    const text = readFileSync(file, 'utf8')
      .replaceAll(/\n[ \t]*(?:\*|\/\/|#)? ?/g, ' ')
      .replaceAll(LINK, ' $1 ');
    for (const { groups = {} } of text.matchAll(CITATION)) {
      const { path = '', heading, decision } = groups;
      const isOurs = !path.startsWith('node_modules/') && !heading?.startsWith('${');
      if (isOurs) found.push({ file, path, heading, decision });
    }
  }
  return found;
}

/** The documents that may be meant: one is cited from the root, or from the folder of the file that cites it. */
function documentsOf(file: string, path: string): string[] {
  return [join(dirname(file), path), path].filter((candidate) => existsSync(candidate));
}

function hasHeading(text: string, heading: string): boolean {
  return text.split('\n').some((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
}
