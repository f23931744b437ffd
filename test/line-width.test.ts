import { globSync, readFileSync } from 'node:fs';
import test from 'ava';

/** Of a line of prose, as of a line of code (biome.json). */
const WIDTH = 120;
const DOCUMENTS = ['*.md', '{daemon,trigger,cdk,packer,systemd,test}/**/*.md'];
const FENCE = /^ *```/;
const TABLE_ROW = /^ *\|/;

/** Numbers, from 1, of the lines of prose that are too long and could be broken at a space. */
function longLinesOf(markdown: string): number[] {
  let isInCode = false;
  return markdown.split('\n').flatMap((line, index) => {
    if (FENCE.test(line)) isInCode = !isInCode;
    const mayBeLong = isInCode || TABLE_ROW.test(line) || !/\S \S/.test(line.replace(/^ *(?:[-*]|\d+\.|#+) /, ''));
    return line.length > WIDTH && !mayBeLong ? [index + 1] : [];
  });
}

test('a line of prose has at most 120 characters', (t) => {
  const files = globSync(DOCUMENTS).filter((file) => !/(^|\/)(node_modules|cdk\.out|artefacts)\//.test(file));
  // Proof that the documents were found.
  t.true(files.length > 25);
  t.deepEqual(
    files.flatMap((file) => longLinesOf(readFileSync(file, 'utf8')).map((line) => `${file}:${line}`)),
    [],
  );
});

test('rows of tables, code and what has no space may be longer', (t) => {
  const long = 'word '.repeat(30);
  t.deepEqual(longLinesOf(`${long}\n| ${long}|\n\`\`\`\n${long}\n\`\`\`\n- ${'x'.repeat(130)}\n- ${long}`), [1, 7]);
});
