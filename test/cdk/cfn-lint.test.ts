import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { synthesized } from './synthesized.ts';
import { VARIANTS } from './variants.ts';

type Template = Record<string, Record<string, { Type: string; Properties: Record<string, unknown> }>>;

/** What cfn-lint says to templates, a line for each finding; nothing where it is not installed, which a note tells. */
function findingsIn(t: ExecutionContext, templates: readonly object[]): string[] | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-cfn-lint-'));
  try {
    const files = templates.map((template, at) => {
      const file = join(directory, `${at}.template.json`);
      writeFileSync(file, JSON.stringify(template));
      return file;
    });
    const { error, status, stdout, stderr } = spawnSync('cfn-lint', ['--format', 'parseable', '--', ...files], {
      encoding: 'utf8',
    });
    // 127: there is a shim of that name, and nothing behind it.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' || status === 127) {
      t.log('not checked: cfn-lint is not installed');
      return undefined;
    }
    if (error) throw error;
    t.is(status === 0, stdout === '', stderr);
    return stdout.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('cfn-lint, where it is installed, finds nothing wrong with a template, and no reason for a warning', (t) => {
  const templates = Object.values(VARIANTS).map((context) => synthesized(context).toJSON());
  t.deepEqual(findingsIn(t, [...templates, synthesized({ amiId: '' }).toJSON()]) ?? [], []);
});

test('that cfn-lint finds nothing means something: it finds what is made wrong', (t) => {
  const template = synthesized().toJSON() as Template;
  const group = Object.values(template['Resources'] ?? {}).find(
    ({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup',
  );
  Object.assign(group?.Properties ?? {}, { TargetGroupARNs: [{ Ref: 'NoSuchTargetGroup' }] });
  const findings = findingsIn(t, [template]);
  t.true(findings === undefined || findings.some((finding) => finding.includes('NoSuchTargetGroup')));
});
