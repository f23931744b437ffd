import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { PASSED_ON } from '../../../cdk/daemon-settings.ts';
import { readSettings, SETTING_NAMES } from '../../../cdk/settings.ts';
import { checkFlow } from '../../../trigger/flows/check/check-flow.ts';
import { synthesized } from '../synthesized.ts';

const ROOT = join(import.meta.dirname, '../../..');
const guide = readFileSync(join(ROOT, 'cdk/README.md'), 'utf8');

/** The rows of the table with that head, as lists of cells. */
function rowsUnder(head: string): string[][] {
  const lines = guide.split('\n');
  const start = lines.indexOf(head) + 2;
  if (start < 2) throw new Error(`the guide has no table with the head ${head}`);
  const end = lines.findIndex((line, at) => at >= start && !line.startsWith('|'));
  return lines.slice(start, end).map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
}

test('the table of settings has every setting, in order, with its default and a description', (t) => {
  const byDefault = readSettings({});
  const expected = SETTING_NAMES.map((name) => {
    const value = byDefault[name];
    return [`\`${name}\``, value === undefined ? 'said in words' : `\`${[value].flat().join(',')}\``];
  });
  const rows = rowsUnder('| setting | default | |');
  t.deepEqual(
    rows.map(([name, value = '']) => [name, /^`[^`]*`$/.test(value) ? value : 'said in words']),
    expected,
  );
  for (const [name, value, meaning] of rows) t.true(!!value && !!meaning, name);
});

test('the guide names every setting of the daemon that is passed on', (t) => {
  const [, names = ''] =
    /`daemonSettings` passes on what the stack does not set itself: (.*?), as in/s.exec(guide) ?? [];
  t.deepEqual([...names.matchAll(/[A-Z_]+/g)].map(([name]) => name).sort(), [...PASSED_ON].sort());
});

test("the guide's costs are the results of its formulas with its inputs", (t) => {
  const inputs = rowsUnder('| input | assumed | |').map(([name = '', value]) => [
    name.replaceAll('`', ''),
    Number(value),
  ]);
  const heads = [
    '| per 1,000 call-hours | formula | $ |',
    '| per month (730 h), with or without calls | formula | $ |',
    '| a small stack, per month | formula | $ |',
  ];
  const costs = heads.flatMap(rowsUnder);
  t.is(costs.length, 16);
  for (const [what, formula = '', dollars] of costs) {
    const names = inputs.map(([name]) => String(name));
    const result = new Function(...names, `return ${formula.replaceAll('`', '')}`)(...inputs.map(([, value]) => value));
    t.is(result.toFixed(2), dollars, what);
  }
});

const outputsOf = (context: Record<string, unknown>): object => synthesized(context).toJSON()['Outputs'];

test('every output, setting and reason in the guide exists', (t) => {
  const outputs = { ...outputsOf({}), ...outputsOf({ deepgramKeySecretArn: 'new', minInstances: 0 }) };
  for (const output of ['TriggerFunctionArn', 'FillDeepgramKey', 'RestoreSettings', 'RollOut', 'Health', 'Watch']) {
    t.true(guide.includes(output) && output in outputs, output);
  }
  for (const [, name] of guide.matchAll(/-c (\w+)=/g))
    t.true(
      SETTING_NAMES.some((each) => each === name),
      name,
    );
  const sources = [
    'trigger/event.ts',
    'trigger/handler.ts',
    'trigger/attributes.ts',
    'trigger/settings.ts',
    'trigger/outcome.ts',
    'daemon/http/README.md',
    'trigger/README.md',
  ];
  const known = sources.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
  for (const [symptom = ''] of rowsUnder('| symptom | look at | likely |')) {
    if (!symptom.startsWith('R ')) continue;
    for (const [, reason = ''] of symptom.matchAll(/`([\w-]+?)(?:\d{3})?`/g)) t.true(known.includes(reason), reason);
  }
});

/** Codes that the trigger's sources give to failures; one in a template ends in a dash. */
function triggerReasons(): string[] {
  const directory = join(ROOT, 'trigger');
  const sources = readdirSync(directory).filter((file) => file.endsWith('.ts'));
  const text = sources.map((file) => readFileSync(join(directory, file), 'utf8')).join('\n');
  return [...text.matchAll(/new TriggerFailure\(\s*['`]([a-z-]+)/g)].map(([, code = '']) => code);
}

/** Reasons of the daemon's refusals that can reach a flow: after `body-cut-off` the caller is gone. */
function daemonReasons(): string[] {
  const rows = readFileSync(join(ROOT, 'daemon/http/README.md'), 'utf8').match(/^\| [45]\d\d.*$/gm) ?? [];
  const reasons = rows.flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([\w-]+)`/g)]);
  return reasons.map(([, reason = '']) => reason).filter((reason) => reason !== 'body-cut-off');
}

test('every reason that a flow can get is explained in the table of symptoms', (t) => {
  const symptoms = rowsUnder('| symptom | look at | likely |').map(([symptom = '']) => symptom);
  const ofReasons = symptoms.filter((symptom) => symptom.startsWith('R ')).join();
  const reasons = [...triggerReasons(), ...daemonReasons(), 'secret-'];
  t.true(reasons.length > 30, `${reasons.length} reasons`);
  for (const reason of reasons) t.true(ofReasons.includes(`\`${reason}${reason.endsWith('-') ? '' : '`'}`), reason);
});

test('every file that the guide refers to exists', (t) => {
  const files = guide.match(/(?:trigger|test)\/[\w/.-]+\.(?:md|json|ts|snapshot)/g) ?? [];
  t.true(files.length > 4);
  for (const file of files) t.true(existsSync(join(ROOT, file)), file);
});

/** The commands from nothing to a transcribed call. */
const COMMANDS = /```sh\n# 1\.([\s\S]*?)```/.exec(guide)?.[1] ?? '';

test('the settings in the commands exist', (t) => {
  t.regex(COMMANDS, /\ncp cdk\/cdk\.context\.example\.json cdk\/cdk\.context\.json/);
  const json = readFileSync(join(ROOT, 'cdk/cdk.context.example.json'), 'utf8');
  for (const name of Object.keys(JSON.parse(json))) {
    t.true(
      SETTING_NAMES.some((each) => each === name),
      name,
    );
  }
});

const [FLOW_COMMAND = ''] = /^sed -e [\s\S]*?sample-inbound\.json/m.exec(COMMANDS) ?? [];

function flowMadeBy(command: string): string {
  return execFileSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8' });
}

test('the command for the flow sets callback and function, and the result is a valid flow', (t) => {
  const made = flowMadeBy(FLOW_COMMAND);
  const expected = readFileSync(join(ROOT, 'trigger/flows/sample-inbound.json'), 'utf8')
    .replace('https://your-endpoint.invalid/{contact-id}', 'https://YOUR.CALLBACK/{contact-id}')
    .replace('"LambdaFunctionARN": ""', '"LambdaFunctionARN": "TRIGGER_ARN"');
  t.is(made, expected);
  t.regex(made, /"LambdaFunctionARN": "TRIGGER_ARN"/);
  t.regex(made, /"dg_callback": "https:\/\/YOUR\.CALLBACK\/\{contact-id\}"/);
  t.deepEqual(checkFlow(made), []);
});

test('with the receiver, the command for the flow leaves the callback out, and the result is a valid flow', (t) => {
  const [, deletion = ''] = /delete the callback: `(-e [^`]+)` in place\s+of the first `-e`/.exec(guide) ?? [];
  const made = flowMadeBy(FLOW_COMMAND.replace(/-e \S+/, () => deletion));
  const { Actions } = JSON.parse(made) as { Actions: { Parameters: { Attributes?: object } }[] };
  const attributes = Actions.flatMap(({ Parameters }) => Object.keys(Parameters.Attributes ?? {}));
  t.deepEqual(attributes, ['dg_model', 'dg_tag']);
  t.regex(made, /"LambdaFunctionARN": "TRIGGER_ARN"/);
  t.deepEqual(checkFlow(made), []);
});
