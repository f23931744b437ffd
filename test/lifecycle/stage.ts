import type { ExecutionContext } from 'ava';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import type { Hook } from '../simulators/auto-scaling/group.ts';
import { MetadataControl } from '../simulators/imds/client.ts';
import { type Line, Program } from '../support/process.ts';

export const INSTANCE_ID = 'i-0a1b2c3d4e5f60718';
export const TERMINATING: Hook = {
  name: 'drain',
  transition: 'autoscaling:EC2_INSTANCE_TERMINATING',
  heartbeatTimeoutS: 3,
};
export const LAUNCHING: Hook = {
  name: 'arrive',
  transition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  heartbeatTimeoutS: 300,
};

/** Three processes each: with more of them at a time a small machine gets nowhere. */
const STAGES_AT_A_TIME = 4;

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-of-the-stage' };

/** An instance between the stand-ins for its metadata service and for Auto Scaling, each a process of its own. */
export class Stage {
  readonly metadata: MetadataControl;
  readonly autoScaling: AutoScalingControl;
  /** The process behind `metadata`. */
  readonly metadataService: Program;
  readonly #programs: Program[];

  static async open(t: ExecutionContext, metadataArgs: readonly string[] = []): Promise<Stage> {
    await seat(t);
    const metadata = new Program('test/simulators/imds/main.ts', ['--instance-id', INSTANCE_ID, ...metadataArgs]);
    const autoScaling = new Program('test/simulators/auto-scaling/main.ts');
    const programs = [metadata, autoScaling];
    t.teardown(async () => {
      await Promise.all(programs.map((program) => program.stop('SIGKILL')));
    });
    return new Stage(await metadata.listening(), await autoScaling.listening(), metadata, programs);
  }

  private constructor(metadataUrl: string, autoScalingUrl: string, metadataService: Program, programs: Program[]) {
    this.metadata = new MetadataControl(metadataUrl);
    this.autoScaling = new AutoScalingControl(autoScalingUrl);
    this.metadataService = metadataService;
    this.#programs = programs;
  }

  /** Starts the instance's program, with so many calls. */
  instance(sessions: number, env: Record<string, string> = {}): Program {
    const endpoints = {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: this.metadata.url,
      AWS_ENDPOINT_URL_AUTO_SCALING: this.autoScaling.url,
    };
    const settings = { ...CREDENTIALS, ...endpoints, SESSIONS: String(sessions), ...env };
    const program = new Program('test/lifecycle/instance.ts', [], settings);
    this.#programs.push(program);
    return program;
  }
}

const waiting: (() => void)[] = [];
let seatsLeft = STAGES_AT_A_TIME;

/** Waits for a place among the tests that run, which the test keeps to its end. */
async function seat(t: ExecutionContext): Promise<void> {
  if (seatsLeft > 0) seatsLeft -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  t.teardown(() => {
    const next = waiting.shift();
    if (next) next();
    else seatsLeft += 1;
  });
}

/** The program's first line about the event, past or to come. */
export function event(program: Program, name: string): Promise<Line> {
  return program.line((line) => line['event'] === name);
}

/** Ends the instance's calls, as their callers do by hanging up. */
export function hangUp(program: Program): void {
  process.kill(program.pid, 'SIGUSR2');
}
