#!/usr/bin/env node
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { program } from 'commander';
import { systemClock } from './clock.ts';
import { type Config, ConfigError, EXIT_CONFIG, readConfig } from './config.ts';
import { serveControl } from './http/control-api.ts';
import { instanceApi } from './http/instance-api.ts';
import { connectKinesis } from './kinesis/client.ts';
import { createLog, type Log } from './observe/log.ts';
import { Checkpoints } from './session/checkpoints.ts';
import { SessionManager } from './session/manager.ts';
import { Seal } from './session/seal.ts';

program
  .name('integratord')
  .description('Transcribes Amazon Connect calls with Deepgram. Configured by environment variables: see README.md.')
  .action(run);
await program.parseAsync();

async function run(): Promise<void> {
  const config = configOrExit();
  const log = createLog(config.LOG_LEVEL);
  const kinesis = connectKinesis(config.region, systemClock);
  const deepgram = { baseUrl: config.DEEPGRAM_API, apiKey: config.DEEPGRAM_API_KEY };
  const settings = {
    callEndGraceMs: config.CALL_END_GRACE_MS,
    readStallMs: config.READ_STALL_MS,
    rotateAfterMs: config.ROTATE_AFTER_MS,
    alignWaitMs: config.ALIGN_WAIT_MS,
    replayMs: config.REPLAY_MS,
    deepgramGiveUpMs: config.DEEPGRAM_GIVE_UP_MS,
    bufferBytes: config.SESSION_BUFFER_KIB * 1024,
  };
  const manager = new SessionManager(
    {
      kinesis,
      deepgram,
      clock: systemClock,
      log,
      random: Math.random,
      checkpoints: checkpointsOf(config, log),
      settings,
    },
    config.MAX_SESSIONS,
  );
  const server = createServer(
    instanceApi({
      manager,
      clock: systemClock,
      log,
      region: config.region,
      startTimeoutMs: config.START_TIMEOUT_MS,
      triggerSecret: config.TRIGGER_SECRET,
    }),
  );
  const servers = [server];
  await manager.resume();
  await listenOrExit(server, config);
  if (config.CONTROL_SOCKET) servers.push(await serveControl(config.CONTROL_SOCKET, manager));
  if (!config.TRIGGER_SECRET) {
    log.warn(
      { event: 'daemon.unsigned' },
      'TRIGGER_SECRET is not set: starts are taken from anybody who reaches the port',
    );
  }
  log.info({ event: 'daemon.started', listening: urlOf(server), region: config.region }, 'integratord takes sessions');

  const signal = await firstSignal();
  log.info({ event: 'daemon.draining', signal, sessions: manager.size }, 'no more starts; the running calls go on');
  if (signal === 'SIGINT') manager.stopAll();
  else void firstSignal().then(() => manager.stopAll());
  await manager.drain();
  for (const each of servers) {
    each.close();
    each.closeAllConnections();
  }
  kinesis.close();
  log.info({ event: 'daemon.stopped' }, 'the last session is over');
  process.exit(0);
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(error.lines.map((line) => `integratord: ${line}\n`).join(''));
    process.exit(EXIT_CONFIG);
  }
}

function checkpointsOf({ STATE_DIR, DEEPGRAM_API_KEY }: Config, log: Log): Checkpoints | undefined {
  return STATE_DIR ? new Checkpoints(STATE_DIR, new Seal(DEEPGRAM_API_KEY), systemClock, log) : undefined;
}

async function listenOrExit(server: Server, { HOST, PORT }: Config): Promise<void> {
  server.listen(PORT, HOST);
  try {
    await once(server, 'listening');
  } catch (error) {
    process.stderr.write(`integratord: cannot listen on ${HOST}:${PORT}: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

/** SIGTERM lets the running calls end by themselves; SIGINT, or a second signal, ends them now, cleanly. */
async function firstSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return Promise.race((['SIGTERM', 'SIGINT'] as const).map((name) => once(process, name).then(() => name)));
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
