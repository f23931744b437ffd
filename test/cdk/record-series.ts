import { writeFile } from 'node:fs/promises';
import { join as pathOf } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, distinctSamples } from '../audio/tracks.ts';
import { CloudWatchControl } from '../simulators/cloudwatch/client.ts';
import { Program } from '../support/process.ts';
import { Stage } from '../system/stage.ts';
import { type Datum, SERIES_DIRECTORY, type Series } from './series.ts';

// `node test/cdk/record-series.ts [NAMES]` runs a real daemon between the simulators for each of these, all at once and in
// real time, and saves what they sent to CloudWatch. It takes nine minutes and little CPU.
const MINUTES = 9;
const MINUTE_MS = 60_000;
/** Interval of the calls, of 8 s each. */
const EVERY_MS = 9000;
const SAMPLES = bytesOf(distinctSamples(8 * 8000));
const CALL = { customer: SAMPLES, agent: SAMPLES, options: { oddBlock: false } };
/** Longer than the stage's own setting, so that a missing fragment does not look like the end of the call. */
const PATIENT = { CALL_END_GRACE_MS: '4000' };
/** Longer than the recording. */
const ENDLESS = { ...CALL, times: 200 };

/** A course of events in a fleet, from the start of its daemon on. */
interface Scenario {
  readonly env?: Record<string, string>;
  /** Returns before the end of the recording. */
  readonly run: (stage: Stage, recording: Recording) => Promise<void>;
}

interface Recording {
  readonly endsAtMs: number;
  /** Another instance of the same stack. */
  readonly join: () => Promise<Stage>;
}

const place = async (stage: Stage, call: Parameters<Stage['call']>[0]) => stage.start(await stage.call(call));

/** One call after the other until the recording ends. */
async function callsUntil(endsAtMs: number, begin: (nth: number) => Promise<unknown>): Promise<void> {
  for (let nth = 0; Date.now() < endsAtMs; nth++) {
    await begin(nth);
    await sleep(EVERY_MS);
  }
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'calls-that-go-well': {
    run: (stage, { endsAtMs }) => callsUntil(endsAtMs, () => place(stage, CALL)),
  },
  'a-night-without-calls': {
    run: (_stage, { endsAtMs }) => sleep(endsAtMs - Date.now()),
  },
  'a-gap-in-one-call': {
    env: PATIENT,
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, (nth) =>
        place(stage, { ...CALL, options: { oddBlock: false, missingFragments: nth === 20 ? [3, 4] : [] } }),
      ),
  },
  'gaps-in-every-call': {
    env: PATIENT,
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, () => place(stage, { ...CALL, options: { oddBlock: false, missingFragments: [3] } })),
  },
  'one-start-in-five-is-bad': {
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, (nth) => (nth % 5 === 4 ? stage.start('{}') : place(stage, CALL))),
  },
  'one-bad-start': {
    run: (stage, { endsAtMs }) => callsUntil(endsAtMs, (nth) => (nth === 20 ? stage.start('{}') : place(stage, CALL))),
  },
  'deepgram-refuses-the-key': {
    env: { DEEPGRAM_API_KEY: 'another-key-than-that-of-the-stage' },
    run: (stage, { endsAtMs }) => callsUntil(endsAtMs, () => place(stage, CALL)),
  },
  'deepgram-has-no-credit': {
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, async (nth) => {
        if (nth >= 20) await stage.deepgram.addFaults({ refuse: 402 });
        await place(stage, CALL);
      }),
  },
  'too-many-streams-for-deepgram': {
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, async (nth) => {
        if (nth >= 12) await stage.deepgram.addFaults({ refuse: 429 });
        await place(stage, CALL);
      }),
  },
  'one-429-that-passes': {
    run: (stage, { endsAtMs }) =>
      callsUntil(endsAtMs, async (nth) => {
        if (nth === 20) await stage.deepgram.addFaults({ refuse: 429 });
        await place(stage, CALL);
      }),
  },
  'a-full-instance': {
    env: { MAX_SESSIONS: '10' },
    run: async (stage, { endsAtMs }) => {
      for (let sessions = 0; sessions < 9; sessions++) await place(stage, ENDLESS);
      await sleep(endsAtMs - Date.now());
    },
  },
  'a-drain-that-ends-with-its-last-call': {
    run: async (stage, { endsAtMs }) => {
      await place(stage, { ...CALL, times: 30 });
      await sleep(MINUTE_MS);
      process.kill(stage.daemon.pid, 'SIGTERM');
      await stage.daemon.exited;
      await sleep(endsAtMs - Date.now());
    },
  },
  'a-drain-that-its-deadline-ends': {
    env: { DRAIN_DEADLINE_MS: String(2.5 * MINUTE_MS) },
    run: async (stage, { endsAtMs }) => {
      await place(stage, ENDLESS);
      await sleep(MINUTE_MS);
      process.kill(stage.daemon.pid, 'SIGTERM');
      await stage.daemon.exited;
      await sleep(endsAtMs - Date.now());
    },
  },
  'a-deployment': {
    env: { HEALTH_LAG_MS: '20000' },
    run: async (old, { endsAtMs, join }) => {
      await place(old, { ...CALL, times: 40 });
      let current = old;
      const calls = callsUntil(endsAtMs, () => place(current, CALL));
      await sleep(2 * MINUTE_MS);
      const next = await join();
      process.kill(old.daemon.pid, 'SIGTERM');
      // The load balancer uses the old instance until its check has failed twice.
      await sleep(10_000);
      current = next;
      await calls;
    },
  },
};

/** The metrics of the alarms, and those that help a reader understand the series. */
const RECORDED = [
  'CapacityUsed',
  'ActiveSessions',
  'SessionsStarted',
  'StartsFailed',
  'SessionsCompleted',
  'SessionsFailed',
  'GapMilliseconds',
  'DeepgramRefusedAuth',
  'DeepgramRefusedRate',
  'Draining',
  'DrainOverdue',
];

async function record(stack: string, { env = {}, run }: Scenario, cloudWatch: CloudWatchControl): Promise<void> {
  const startedAtMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const endsAtMs = startedAtMs + MINUTES * MINUTE_MS;
  const settings = { ...env, METRICS_STACK: stack, AWS_ENDPOINT_URL_CLOUDWATCH: cloudWatch.url };
  const stages: Stage[] = [];
  const join = async () => {
    const stage = await Stage.open({ env: settings });
    stages.push(stage);
    return stage;
  };
  try {
    await run(await join(), { endsAtMs, join });
    const metrics: Record<string, Datum[]> = {};
    for (const name of RECORDED) {
      const data = await cloudWatch.data(name, { Stack: stack });
      metrics[name] = data.map(({ Timestamp, Value }): Datum => {
        if (Value === undefined) throw new Error(`${name} is not a single value`);
        return [Math.round(Timestamp - startedAtMs / 1000), Value];
      });
    }
    const series: Series = { minutes: MINUTES, metrics };
    const rows = Object.entries(metrics).map(([name, data]) => `    "${name}": ${JSON.stringify(data)}`);
    const text = `{\n  "minutes": ${series.minutes},\n  "metrics": {\n${rows.join(',\n')}\n  }\n}\n`;
    await writeFile(pathOf(SERIES_DIRECTORY, `${stack}.series`), text);
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
}

const service = new Program('test/simulators/cloudwatch/main.ts');
try {
  const cloudWatch = new CloudWatchControl(await service.listening());
  const wanted = process.argv.slice(2);
  const scenarios = Object.entries(SCENARIOS).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  await Promise.all(scenarios.map(([stack, scenario]) => record(stack, scenario, cloudWatch)));
} finally {
  await service.stop('SIGKILL');
}
