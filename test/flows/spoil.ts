import test from 'ava';
import { checkFlow } from '../../trigger/flows/check/check-flow.ts';
import type { Finding, Rule } from '../../trigger/flows/check/finding.ts';
import { actionIn, exitIn, type FlowJson, type FlowName, ourFlow } from './our-flows.ts';

// Identifiers in sample-inbound.json.
export const TRIGGER = 'Invoke trigger';
export const LOAD = 'Load the result';
export const BEGIN = 'Begin the call';
export const COMPARE = 'Check the result';
export const START = 'Start media streaming';
export const STOP = 'Stop media streaming';
export const SET = 'Set Deepgram parameters';
export const HANG_UP = 'Hang up';
export const CALL = 'Continue with the call';

type Mutate = (flow: FlowJson) => unknown;

/** A change of a flow, and the finding it must cause. */
export type Mutation = [title: string, mutate: Mutate, action: string, what: Rule, why: RegExp, flow?: FlowName];

/** The checker's findings. */
export function findings(flow: FlowJson): Finding[] {
  return checkFlow(JSON.stringify(flow));
}

/** Declares a test per mutation, by default of sample-inbound. */
export function findsWhen(mutations: readonly Mutation[]): void {
  for (const [title, mutate, action, what, why, name = 'sample-inbound'] of mutations) {
    test(`the checker finds that ${title}`, (t) => {
      const flow = ourFlow(name);
      mutate(flow);
      const found = findings(flow);
      const isExpected = found.some((one) => one.action === action && one.what === what && why.test(one.why));
      t.true(isExpected, JSON.stringify(found, null, 2));
    });
  }
}

/** Overwrites parameters of the action; undefined removes one. */
export function set(identifier: string, parameters: Record<string, unknown>): Mutate {
  return (flow) => Object.assign(actionIn(flow, identifier).Parameters, parameters);
}

/** Redirects that exit. */
export function lead(from: string, name: string, to: string): Mutate {
  return (flow) => exitIn(flow, from, name).lead(to);
}

/** Removes that exit. */
export function cut(from: string, name: string): Mutate {
  return (flow) => exitIn(flow, from, name).cut();
}
