import { absenceDecision } from '../../daemon/lifecycle/absence.ts';
import type { Neighbor } from '../../daemon/lifecycle/auto-scaling.ts';
import { randomFrom } from '../support/random.ts';

/** systemd/integratord-absence.sh and its timer. */
const ABSENCE_S = 300;
const LOOK_EVERY_S = 30;
/** The launching hook of the stack (cdk/timing.ts), after which an instance without a daemon is abandoned. */
const LAUNCH_TIMEOUT_S = 600;
const LAUNCH_S = 60;
/** Auto Scaling acts within these; a minute or two passes between two attempts. */
const LONGEST_PAUSE_S = 120;
const HOUR_S = 3600;

interface Instance {
  readonly id: string;
  readonly isFirst: boolean;
  readonly lookPhaseS: number;
  state: 'InService' | 'Pending:Wait' | 'Terminating';
  isHealthy: boolean;
  /** When its state ends by itself. */
  untilS: number;
  withoutDaemonSinceS: number | undefined;
}

/** A group in Auto Scaling whose instances run the watcher, second by second. */
export class FleetModel {
  /** Whether daemons on instances that launch from now on start. */
  newDaemonsStart = false;
  reports = 0;
  launches = 0;
  /** The most instances that were not in service at once, of those that should be. */
  mostMissing = 0;
  readonly #desiredCapacity: number;
  readonly #random: () => number;
  #instances: Instance[];
  #nowS = 0;
  #launchAtS = Infinity;

  constructor(size: number, seed: number) {
    this.#desiredCapacity = size;
    this.#random = randomFrom(seed + 1);
    this.#instances = Array.from({ length: size }, (_, at) => this.#instance(`first-${at}`, 'InService'));
  }

  /** Of those that the fleet began with. */
  get firstInstances(): number {
    return this.#instances.filter(({ isFirst }) => isFirst).length;
  }

  /** As a setting does that every daemon reads within a minute. */
  stopDaemons(): void {
    for (const each of this.#instances) each.withoutDaemonSinceS = this.#nowS + this.#random() * 60;
  }

  startDaemons(): void {
    for (const each of this.#instances) each.withoutDaemonSinceS = undefined;
  }

  run(hours: number): void {
    for (const endS = this.#nowS + hours * HOUR_S; this.#nowS < endS; this.#nowS++) this.#second();
  }

  #second(): void {
    for (const each of this.#instances) {
      if (this.#looks(each)) this.#watch(each);
      if (each.untilS <= this.#nowS) this.#nextState(each);
    }
    this.#instances = this.#instances.filter(({ untilS, state }) => state !== 'Terminating' || untilS > this.#nowS);
    this.#launchMissing();
    const inService = this.#instances.filter(({ state }) => state === 'InService').length;
    this.mostMissing = Math.max(this.mostMissing, this.#desiredCapacity - inService);
  }

  #looks({ lookPhaseS, withoutDaemonSinceS }: Instance): boolean {
    const isDue = (this.#nowS + lookPhaseS) % LOOK_EVERY_S === 0;
    return isDue && withoutDaemonSinceS !== undefined && this.#nowS - withoutDaemonSinceS >= ABSENCE_S;
  }

  #watch(own: Instance): void {
    const instances: Neighbor[] = this.#instances.map(({ id, state, isHealthy }) => ({
      instanceId: id,
      groupName: 'fleet',
      lifecycleState: state,
      isHealthy,
    }));
    const decision = absenceDecision(own.id, { instances, desiredCapacity: this.#desiredCapacity });
    if (decision.name !== 'report') return;
    this.reports++;
    own.isHealthy = false;
    own.untilS = this.#nowS + this.#pauseS();
  }

  /** Unhealthy instances terminate; those that launch are in service, or abandoned. */
  #nextState(each: Instance): void {
    if (each.state === 'Pending:Wait' && each.withoutDaemonSinceS === undefined) {
      each.state = 'InService';
      each.untilS = Infinity;
      return;
    }
    if (each.state === 'Terminating') return;
    each.state = 'Terminating';
    each.untilS = this.#nowS + this.#pauseS();
  }

  /** Some time after an instance is gone, and not before. */
  #launchMissing(): void {
    const there = this.#instances.filter(({ state }) => state !== 'Terminating').length;
    if (there >= this.#desiredCapacity) return;
    if (this.#launchAtS === Infinity) this.#launchAtS = this.#nowS + this.#pauseS();
    if (this.#launchAtS > this.#nowS) return;
    this.#launchAtS = Infinity;
    this.#instances.push(this.#instance(`launch-${++this.launches}`, 'Pending:Wait'));
  }

  #instance(id: string, state: 'InService' | 'Pending:Wait'): Instance {
    const isLaunching = state === 'Pending:Wait';
    const launchS = this.newDaemonsStart ? LAUNCH_S : LAUNCH_TIMEOUT_S;
    return {
      id,
      state,
      isFirst: !isLaunching,
      lookPhaseS: Math.floor(this.#random() * LOOK_EVERY_S),
      isHealthy: true,
      untilS: isLaunching ? this.#nowS + launchS : Infinity,
      withoutDaemonSinceS: isLaunching && !this.newDaemonsStart ? this.#nowS : undefined,
    };
  }

  #pauseS(): number {
    return 1 + Math.floor(this.#random() * LONGEST_PAUSE_S);
  }
}
