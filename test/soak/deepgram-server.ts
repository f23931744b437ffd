import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { acceptance } from '../load/deepgram-server.ts';
import { Ear, HeardCall } from '../load/heard-call.ts';
import { API_KEY, callOfTags } from '../load/identity.ts';
import { checkedHandshake, refuseWith } from '../simulators/deepgram/handshake.ts';
import type { ListenParams } from '../simulators/deepgram/params.ts';
import { Line } from './line.ts';
import { type Mood, moodFor } from './moods.ts';

const TICK_MS = 20;

/** A handshake, and the connection that followed. */
interface Entry {
  readonly call: number;
  readonly handshake: number;
  readonly mood: Mood;
  readonly atMs: number;
  closedAtMs?: number;
  /** The part of the call that it received. */
  heardMs?: readonly [number, number];
  closeStreamSeen?: boolean;
}

/** Deepgram, and what is on the way to it, in all moods at random; the same for the same seed and handshake of a call. */
export class MoodyDeepgram {
  readonly server: Server = createServer();
  /** Refused handshakes by the daemon's label. */
  readonly refusals: Record<string, number> = {};
  readonly losses: Record<string, number> = {};
  /** What became of each handshake; times are those of the log. */
  readonly record: Entry[] = [];
  keepAlives = 0;
  isCalm = false;
  handshakes = 0;
  readonly #seed: number;
  readonly #calls = new Map<number, { heard: HeardCall; handshakes: number; lackedMetadata: boolean }>();
  readonly #lines = new Set<Line>();

  constructor(seed: number) {
    this.#seed = seed;
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    setInterval(() => {
      const nowMs = performance.now();
      for (const line of this.#lines) line.tick(nowMs);
    }, TICK_MS).unref();
  }

  heard(call: number): HeardCall {
    return this.#callOf(call).heard;
  }

  #callOf(call: number) {
    let known = this.#calls.get(call);
    if (!known) {
      known = { heard: new HeardCall(call, false, () => {}), handshakes: 0, lackedMetadata: false };
      this.#calls.set(call, known);
    }
    return known;
  }

  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket;
    socket.on('error', () => socket.destroy());
    const params = checkedHandshake(request, API_KEY);
    const call = callOfTags(params.tags);
    if (call === undefined) throw new Error('a session of another run');
    const known = this.#callOf(call);
    const mood = moodFor({ seed: this.#seed, call, handshakes: known.handshakes });
    known.handshakes++;
    const entry: Entry = { call, handshake: known.handshakes, mood, atMs: Date.now() };
    this.record.push(entry);
    socket.once('close', () => {
      entry.closedAtMs = Date.now();
    });
    this.handshakes++;
    const accept = () => this.#accept(request, socket, head, call, params, entry);
    setTimeout(() => {
      // The client may have given up.
      if (socket.destroyed || socket.readableEnded || !socket.writable) return;
      if (mood.refusal === undefined) accept();
      else this.#refuse(socket, mood.refusal);
    }, mood.handshakeMs);
    // Reads the client's end.
    socket.resume();
  }

  #refuse(socket: Socket, refusal: NonNullable<Mood['refusal']>): void {
    if (refusal === 'hang') return;
    if (refusal === 'reset') {
      this.#count('unreachable');
      socket.resetAndDestroy();
      return;
    }
    const { status, headers, body } = refusal;
    this.#count(status >= 500 ? '5xx' : KNOWN.has(status) ? String(status) : 'other');
    refuseWith(socket, status, { ...headers }, body);
  }

  #count(label: string): void {
    this.refusals[label] = (this.refusals[label] ?? 0) + 1;
  }

  #accept(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    call: number,
    { callback, extra }: ListenParams,
    entry: Entry,
  ): void {
    const { mood } = entry;
    const known = this.#callOf(call);
    const ear = new Ear(known.heard, Number(extra['dgintegrator_offset_ms'] ?? 0));
    socket.write(acceptance(request, randomUUID()));
    const mayLackMetadata = () => {
      const may = !known.lackedMetadata;
      known.lackedMetadata = true;
      return may;
    };
    const line = new Line(
      {
        socket,
        ear,
        mood,
        returnsResults: callback === undefined,
        mayLackMetadata,
        isCalm: () => this.isCalm,
        onKeepAlive: () => {
          this.keepAlives++;
        },
      },
      head,
    );
    this.#lines.add(line);
    socket.once('close', () => {
      this.#lines.delete(line);
      if (line.wasTooLate) {
        known.heard.connections.splice(known.heard.connections.indexOf(ear), 1);
        return;
      }
      const how = line.closeStreamSeen ? 'after CloseStream' : String(mood.loss);
      Object.assign(entry, { heardMs: [ear.fromMs, ear.toMs], closeStreamSeen: line.closeStreamSeen });
      this.losses[how] = (this.losses[how] ?? 0) + 1;
    });
  }
}

/** daemon/metrics/README.md: the labels of refusals. */
const KNOWN: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 408, 429]);
