import { relative } from 'node:path';
import { installCommands, type SkippedTest } from './tools.ts';

/** Lists skipped tests by missing program, and the commands that install the programs. */
export function skippedReport(skipped: readonly SkippedTest[], root: string): string[] {
  if (skipped.length === 0) return [];
  const byTools = Map.groupBy(skipped, ({ tools }) => tools.join(', '));
  const tools = [...new Set(skipped.flatMap((test) => test.tools))];
  return [
    '',
    `${skipped.length} ${skipped.length === 1 ? 'test was' : 'tests were'} skipped because programs are missing:`,
    ...[...byTools.keys()]
      .sort()
      .flatMap((names) => [
        `  ${names}`,
        ...(byTools.get(names) ?? []).map(({ file, title }) => `    ${relative(root, file)}: ${title}`),
      ]),
    'To run them:',
    ...installCommands(tools).map((command) => `  ${command}`),
  ];
}
