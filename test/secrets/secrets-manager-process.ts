import type { ExecutionContext } from 'ava';
import { SecretsManagerControl } from '../simulators/secrets-manager/client.ts';
import { Program } from '../support/process.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-role' };

/** A Secrets Manager simulator for this test, and the environment of a process that uses it. */
export async function secretsManagerFor(t: Pick<ExecutionContext, 'teardown'>, region = 'us-east-1') {
  const program = new Program('test/simulators/secrets-manager/main.ts', ['--region', region]);
  t.teardown(() => program.stop('SIGKILL'));
  const url = await program.listening();
  return {
    manager: new SecretsManagerControl(url, region),
    env: { ...CREDENTIALS, AWS_ENDPOINT_URL_SECRETS_MANAGER: url },
  };
}
