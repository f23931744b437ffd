/** How a command is tested: in full, by a sample, or not at all, with a reason. */
export type Run =
  | {
      readonly by: string;
      /** Options that documents show and no test gives, with the reasons. */
      readonly untried?: Readonly<Record<string, string>>;
    }
  | { readonly sampleBy: string }
  | { readonly notHere: string };

/** The scripts of package.json that documents name. */
export const NPM_SCRIPTS: Readonly<Record<string, Run>> = {
  test: { by: '.ci/run' },
  'test:tools': { by: '.ci/run' },
  typecheck: { by: '.ci/run' },
  lint: { by: '.ci/run' },
  'missing-packages': { by: '.ci/run' },
  demo: { by: 'test/demo/demo.test.ts' },
  integratord: { by: 'test/system/stage.ts' },
  integratorctl: { by: 'test/ctl/ctl-process.ts' },
  story: { by: 'test/stories/stories.test.ts' },
  captures: { sampleBy: 'test/captures/captures.test.ts' },
  man: { by: 'test/ctl/man.test.ts' },
  docs: { sampleBy: 'test/contract/settings.test.ts' },
  release: { by: 'test/release/release-command.ts' },
  'check:flows': { by: 'test/flows/check.test.ts' },
  synth: { by: 'test/cdk/app.test.ts' },
  template: { by: 'test/cdk/stack/template.ts' },
  'publish:image': { by: 'test/packer/publish.test.ts' },
  'test:deploy': { notHere: 'needs moto_server, which Python brings' },
  cdk: { notHere: 'needs an AWS account, except for synth, which is tested' },
  load: { by: 'test/load/running-load.ts' },
  bench: {
    by: 'test/bench/bench.test.ts',
    untried: {
      '--check': 'compares speeds, which a busy machine does not have',
      '--profile': 'slows down what it profiles; for looking at by hand',
    },
  },
  fuzz: { sampleBy: 'test/fuzz/fuzz.test.ts' },
  'prove:audio': { sampleBy: 'test/audio/random-calls.test.ts' },
  'prove:transcript': { sampleBy: 'test/results/relay.test.ts' },
  'prove:results': { sampleBy: 'test/system/results.test.ts' },
  soak: { sampleBy: 'test/soak/soak.test.ts' },
  'prove:long-call': { sampleBy: 'test/system/long-call.test.ts' },
  'test:systemd': { notHere: 'needs root, and a network to download Debian' },
  'test:bare': { notHere: 'needs root, and a network to download Debian' },
};

/** Files that documents run with `node`. */
export const NODE_FILES: Readonly<Record<string, Run>> = {
  'trigger/receiver/main.ts': { by: 'test/trigger/receiver/main.test.ts' },
  'test/admission/balancer-trial.ts': { sampleBy: 'test/admission/balancer.test.ts' },
  'test/results/measure-delivery.ts': { notHere: 'a measurement' },
  'test/bench/hot.ts': { notHere: 'reads the profiles of a bench run' },
  'test/cdk/snapshot.ts': { notHere: 'renews a snapshot; the tests compare with it' },
  'test/cdk/record-series.ts': { notHere: 'renews a recording; the tests read it' },
  'test/fixtures/sample-call/make.ts': { notHere: 'needs espeak-ng 1.51; the tests read what it made' },
};

/** Commands of integratorctl. */
export const CTL_COMMANDS: Readonly<Record<string, Run>> = {
  sessions: { by: 'test/ctl/on-a-terminal.test.ts' },
  'sessions list': { by: 'test/ctl/sessions.test.ts' },
  'sessions show': { by: 'test/ctl/sessions.test.ts' },
  status: { by: 'test/ctl/operations.test.ts' },
  cordon: { by: 'test/ctl/operations.test.ts' },
  uncordon: { by: 'test/ctl/operations.test.ts' },
  drain: { by: 'test/ctl/drain.test.ts' },
  results: { by: 'test/ctl/operations.test.ts' },
  'results retry': { by: 'test/ctl/operations.test.ts' },
  doctor: { by: 'test/ctl/offline.test.ts' },
  config: { by: 'test/ctl/offline.test.ts' },
  'log-level': { by: 'test/ctl/operations.test.ts' },
  page: { by: 'test/control/control-page.test.ts' },
  '--help': { by: 'test/ctl/failures.test.ts' },
};

/** What npx runs of the project. */
export const NPX: Readonly<Record<string, string>> = {
  ava: 'it runs the tests',
  node: 'the Node that runs the tests',
  cdk: 'as npm run cdk',
};

/** Files that are commands themselves. */
export const FILES: Readonly<Record<string, string>> = { '.ci/run': 'it runs the tests' };

/** Other programs, and why no test here runs what documents show of them. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  'npm install': "in the reader's own project",
  aws: 'needs an AWS account',
  packer: 'builds in an AWS account; the tests validate the template',
  ssh: 'needs an instance',
  curl: 'needs a deployed stack',
  hyperfine: 'measures an installed release',
  'apt-get': 'needs root and a network',
  journalctl: 'needs systemd',
  systemctl: 'needs systemd',
  export: 'part of every shell',
  sed: 'part of every system',
  cp: 'part of every system',
};
