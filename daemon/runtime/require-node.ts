/** Import this first in a program: it says what the program needs, before an older Node fails on something else. */

const LEAST_MAJOR = 24;

/** What is wrong with a version of Node; undefined if the program runs on it. */
export function nodeFault(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= LEAST_MAJOR) return undefined;
  return `Node ${version} is too old: this program needs Node ${LEAST_MAJOR}, which \`npm ci\` installs; run it with \`npm run\``;
}

const fault = nodeFault(process.versions.node);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
