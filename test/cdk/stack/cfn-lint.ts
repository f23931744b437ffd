import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { selfContained } from '../../../cdk/template.ts';
import { needs } from '../../support/tools.ts';
import { synthesized } from '../synthesized.ts';
import { VARIANTS } from '../variants.ts';

/** cfn-lint's exit code, and its findings by template. It starts once, which takes longer than a template. */
async function findingsIn(templates: Readonly<Record<string, object>>) {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-cfn-lint-'));
  try {
    const files = Object.entries(templates).map(([name, template]) => {
      const file = join(directory, `${name.replaceAll(/\W+/g, '-')}.template.json`);
      writeFileSync(file, JSON.stringify(template));
      return { name, file };
    });
    const args = ['--format', 'parseable', '--', ...files.map(({ file }) => file)];
    const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile('cfn-lint', args, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
    });
    const lines = stdout.split('\n').filter((line) => line !== '');
    const findings = files.map(
      ({ name, file }) => [name, lines.filter((line) => line.startsWith(`${file}:`))] as const,
    );
    return { code, stderr, lines, findings: Object.fromEntries(findings) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Template = { Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }> };

/** All defaults, with a deliberate error. */
const DELIBERATE = 'a deliberate error';

/** Variants that have almost only resources of the others: cfn-lint takes half a second for each template. */
const COVERED = [
  'all defaults',
  'nothing but parameters',
  'a small stack',
  'a closed VPC with a proxy',
  'the sample receiver',
];

needs(test, 'cfn-lint')('cfn-lint finds a deliberate error, and nothing in any template', async (t) => {
  const wrong = synthesized().toJSON() as Template;
  const group = Object.values(wrong.Resources).find(({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup');
  Object.assign(group?.Properties ?? {}, { TargetGroupARNs: [{ Ref: 'NoSuchTargetGroup' }] });
  const { code, stderr, lines, findings } = await findingsIn({
    ...Object.fromEntries(
      Object.entries(VARIANTS)
        .filter(([name]) => !COVERED.includes(name))
        .map(([name, context]) => [name, synthesized(context).toJSON()]),
    ),
    'self-contained': selfContained({}),
    'self-contained, with the receiver': selfContained({ receiver: 'on', profile: 'small' }),
    [DELIBERATE]: wrong,
  });
  t.not(code, 0);
  t.is(stderr, '');
  t.true((findings[DELIBERATE]?.length ?? 0) > 0);
  t.deepEqual(
    lines.filter((line) => !(findings[DELIBERATE]?.includes(line) && line.includes('NoSuchTargetGroup'))),
    [],
  );
});
