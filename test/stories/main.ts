/** Tells the story that is named, or all of them. Arguments after its name are the story's own. */
import { readdirSync } from 'node:fs';

const NO_STORIES = /^(?:main|telling)\.ts$|\.test\.ts$/;
const stories = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts') && !NO_STORIES.test(file))
  .map((file) => file.slice(0, -'.ts'.length));
const [name] = process.argv.splice(2, 1);
if (name !== undefined && !stories.includes(name)) {
  process.stderr.write(`There is no story ${name}; there are ${stories.join(', ')}.\n`);
  process.exit(2);
}
for (const story of name === undefined ? stories : [name]) await import(`./${story}.ts`);
