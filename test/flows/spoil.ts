import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';
import type { Finding, Rule } from '../../trigger/flows/check/finding.ts';
import { actionIn, exitIn, type FlowJson, type FlowName, ourFlow } from './our-flows.ts';

// What the tables of mutations speak of, in sample-inbound.json.
export const TRIGGER = 'Invoke trigger';
export const COMPARE = 'Check what the trigger answered';
export const START = 'Start media streaming';
export const STOP = 'Stop media streaming';
export const SET = 'Set Deepgram parameters';
export const HANG_UP = 'Hang up';
export const CALL = 'Go on with the call';

export type Mutate = (flow: FlowJson) => unknown;

/** What is done to a flow, and the finding that has to come of it. */
export type Mutation = [title: string, mutate: Mutate, action: string, what: Rule, why: RegExp, flow?: FlowName];

/** What the checker finds. */
export function findings(flow: FlowJson): Finding[] {
  return checkFlow(JSON.stringify(flow));
}

/** Declares a test for each mutation of a flow of ours: sample-inbound unless it names another. */
export function findsWhen(mutations: readonly Mutation[]): void {
  for (const [title, mutate, action, what, why, name = 'sample-inbound'] of mutations) {
    test(`it is found when ${title}`, (t) => {
      const flow = ourFlow(name);
      mutate(flow);
      const found = findings(flow);
      const isExpected = found.some((one) => one.action === action && one.what === what && why.test(one.why));
      t.true(isExpected, JSON.stringify(found, null, 2));
    });
  }
}

/** Overwrites parameters of the action; undefined ones are gone from the file. */
export function set(identifier: string, parameters: Record<string, unknown>): Mutate {
  return (flow) => Object.assign(actionIn(flow, identifier).Parameters, parameters);
}

/** Makes the way out of that name lead elsewhere. */
export function lead(from: string, name: string, to: string): Mutate {
  return (flow) => exitIn(flow, from, name).lead(to);
}

/** Takes the way out of that name away. */
export function cut(from: string, name: string): Mutate {
  return (flow) => exitIn(flow, from, name).cut();
}
