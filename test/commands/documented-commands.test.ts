import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { faultOf, SCRIPTS, untriedFault, used } from './command-faults.ts';
import { commandsOf, documents, unmarkedBlocksOf } from './documented-commands.ts';
import { CTL_COMMANDS, FILES, NODE_FILES, NPM_SCRIPTS, NPX, PROGRAMS, type Run } from './runs.ts';
import { type Command, commandsIn } from './shell-commands.ts';

const COMMANDS = documents().flatMap(commandsOf);

test('every command in a document exists, with its options and its files', (t) => {
  const faults = COMMANDS.flatMap(({ place, words }) => {
    const fault = faultOf(words);
    return fault === undefined ? [] : [`${place}: ${words.join(' ')}: ${fault}`];
  });
  t.deepEqual(faults, []);
  // Proof that the documents were read.
  t.true(COMMANDS.length > 100, String(COMMANDS.length));
  const listed = [
    ...Object.keys(NPM_SCRIPTS).map((name) => `npm run ${name}`),
    ...Object.keys(CTL_COMMANDS).map((name) => `integratorctl ${name}`),
    ...Object.keys(NPX).map((name) => `npx ${name}`),
    ...Object.keys(NODE_FILES),
    ...Object.keys(FILES),
    ...Object.keys(PROGRAMS),
  ];
  t.deepEqual(
    listed.filter((name) => !used.has(name)),
    [],
    'listed, but in no document',
  );
});

test('every block that shows commands says that it is sh', (t) => {
  t.deepEqual(documents().flatMap(unmarkedBlocksOf), []);
});

for (const [name, run] of Object.entries<Run>({ ...NPM_SCRIPTS, ...NODE_FILES })) {
  test(`what runs ${name} is a file that runs it`, (t) => {
    if ('notHere' in run) {
      t.not(run.notHere, '');
      return;
    }
    const file = 'by' in run ? run.by : run.sampleBy;
    t.true(existsSync(file), file);
    if ('sampleBy' in run) return;
    const script = SCRIPTS[name] ?? `node ${name}`;
    const needle = /^node (\S+)/.exec(script)?.[1] ?? name;
    const runs = new RegExp(`npm run (-s |--silent )?${name}\\b`);
    const text = readFileSync(file, 'utf8');
    const isThere = text.includes(needle) || runs.test(text);
    const isOfItsRoom = globSync(join(dirname(file), '*.ts')).some((path) =>
      readFileSync(path, 'utf8').includes(needle),
    );
    t.true(isThere || isOfItsRoom, `${file} does not run ${needle}`);
  });
}

for (const [name, run] of Object.entries<Run>(CTL_COMMANDS)) {
  test(`what runs integratorctl ${name} is a test that runs it`, (t) => {
    if (!('by' in run)) {
      t.fail('integratorctl runs everywhere');
      return;
    }
    const words = name.split(' ').map((word) => `'${word}'`);
    t.true(readFileSync(run.by, 'utf8').includes(words.join(', ')), `${run.by} has no ${words.join(', ')}`);
  });
}

test('an option that no test gives is found', (t) => {
  const run = { by: 'test/ctl/drain.test.ts' };
  t.regex(untriedFault(run, ['drain', '--no-such=1']) ?? '', /no test gives --no-such/);
  t.is(untriedFault({ ...run, untried: { '--no-such': 'there is none' } }, ['drain', '--no-such']), undefined);
  t.is(untriedFault(run, ['drain', '--deadline', '1h']), undefined);
});

test('commands are found in scripts as documents show them', (t) => {
  const script = `A=1 npm run x -- --a 'b c' # why
for each in one 'two'; do
  npx ava $each >file
done
aws --id $(node -p "f('x')") \\
  --more | sed -e 's|a|b|'`;
  t.deepEqual(commandsIn(script), [
    ['npm', 'run', 'x', '--', '--a', 'b c'],
    ['npx', 'ava', '$each'],
    ['aws', '--id', `$(node -p "f('x')")`, '--more'],
    ['sed', '-e', 's|a|b|'],
    ['node', '-p', "f('x')"],
  ]);
});

for (const [command, fault] of [
  ['npm run no-such', /no script no-such/],
  ['npm run demo -- --no-such', /no option --no-such/],
  ['npm run demo --once', /write -- before it/],
  ['npx ava test/no-such.test.ts', /there is no test\/no-such/],
  ['node test/no-such.ts', /there is no/],
  ['integratorctl no-such', /unknown command/],
  ['integratorctl version', /is not in test\/commands\/runs\.ts/],
  ['npx no-such', /unknown here/],
  ['test/run.ts', /is not in test\/commands\/runs\.ts/],
  ['integratorctl status no-such', /too many arguments/],
  ['integratorctl status --no-such', /unknown option/],
  ['integratorctl log-level no-such', /no-such/],
  ['no-such-program', /is not in test\/commands\/runs\.ts/],
] as const) {
  test(`a command that does not exist is found: ${command}`, (t) => {
    t.regex(faultOf(commandsIn(command)[0] as Command) ?? '', fault);
  });
}
