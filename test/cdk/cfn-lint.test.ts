import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { needs } from '../support/tools.ts';
import { synthesized } from './synthesized.ts';
import { VARIANTS } from './variants.ts';

type Template = Record<string, Record<string, { Type: string; Properties: Record<string, unknown> }>>;

/** cfn-lint's findings in templates, a line each. */
function findingsIn(t: ExecutionContext, templates: readonly object[]): string[] {
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
    if (error) throw error;
    t.is(status === 0, stdout === '', stderr);
    return stdout.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

needs(test, 'cfn-lint')('cfn-lint has no errors and no warnings about a template', (t) => {
  const templates = Object.values(VARIANTS).map((context) => synthesized(context).toJSON());
  t.deepEqual(findingsIn(t, [...templates, synthesized({ amiId: undefined }).toJSON()]), []);
});

needs(test, 'cfn-lint')('cfn-lint finds a deliberate error', (t) => {
  const template = synthesized().toJSON() as Template;
  const group = Object.values(template['Resources'] ?? {}).find(
    ({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup',
  );
  Object.assign(group?.Properties ?? {}, { TargetGroupARNs: [{ Ref: 'NoSuchTargetGroup' }] });
  const findings = findingsIn(t, [template]);
  t.true(findings.some((finding) => finding.includes('NoSuchTargetGroup')));
});
