import { readFileSync } from 'node:fs';

/** An action as the editor exports it. */
export type ActionJson = {
  Identifier: string;
  Type: string;
  Parameters: Record<string, unknown>;
  Transitions: {
    NextAction?: string;
    Conditions?: { NextAction: string; Condition: { Operator: string; Operands: string[] } }[];
    Errors?: { NextAction: string; ErrorType: string }[];
  };
};

/** A flow as the editor exports it. */
export type FlowJson = {
  Version: string;
  StartAction: string;
  Metadata: {
    entryPointPosition?: unknown;
    ActionMetadata: Record<string, { position?: { x: number; y: number } }>;
    Annotations: { actionId: string }[];
  };
  Actions: ActionJson[];
};

export type FlowName = 'sample-inbound' | 'sample-inbound-synchronous' | 'sample-transfer' | 'load-test';

/** A copy of one of our flows, to run or to change. */
export function ourFlow(name: FlowName): FlowJson {
  return JSON.parse(readFileSync(new URL(`../../trigger/flows/${name}.json`, import.meta.url), 'utf8'));
}

/** The action with that identifier. */
export function actionIn(flow: FlowJson, identifier: string): ActionJson {
  const action = flow.Actions.find(({ Identifier }) => Identifier === identifier);
  if (action === undefined) throw new Error(`The flow has no action "${identifier}".`);
  return action;
}

/** A named exit of an action, with ways to change it. */
type Exit = { from: string; name: string; to: string; lead: (to: string) => void; cut: () => void };

/** Every exit of every action of the flow. */
export function exitsOf(flow: FlowJson): Exit[] {
  return flow.Actions.flatMap(({ Identifier: from, Transitions: transitions }) => {
    const { NextAction: next, Conditions: conditions = [], Errors: errors = [] } = transitions;
    const lead = (to: string) => {
      transitions.NextAction = to;
    };
    const cut = () => {
      delete transitions.NextAction;
    };
    return [
      ...(next === undefined ? [] : [{ from, name: 'NextAction', to: next, lead, cut }]),
      ...conditions.map((condition) => exit(from, condition.Condition.Operands.join(), condition, conditions)),
      ...errors.map((error) => exit(from, error.ErrorType, error, errors)),
    ];
  });
}

/** The exit with that name. */
export function exitIn(flow: FlowJson, from: string, name: string): Exit {
  const found = exitsOf(flow).find((one) => one.from === from && one.name === name);
  if (found === undefined) throw new Error(`The action "${from}" has no exit ${name}.`);
  return found;
}

function exit<Way extends { NextAction: string }>(from: string, name: string, way: Way, ways: Way[]): Exit {
  const lead = (to: string) => {
    way.NextAction = to;
  };
  return { from, name, to: way.NextAction, lead, cut: () => ways.splice(ways.indexOf(way), 1) };
}
