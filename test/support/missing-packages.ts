/** Prints the Debian packages that tests need and this machine lacks, one per line; .ci/run installs them. */
import { isInstalled, packagesOf, TOOLS, type ToolName } from './tools.ts';

const missing = (Object.keys(TOOLS) as ToolName[]).filter((tool) => !isInstalled(tool));
for (const name of packagesOf(missing, 'debian')) process.stdout.write(`${name}\n`);
