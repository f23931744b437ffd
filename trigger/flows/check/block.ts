import type { Action } from './flow.ts';
import { STREAMING, setsStreaming } from './language.ts';

/** The titles of the flow editor's blocks (Amazon Connect Administrator Guide, "Flow block definitions"). */
const TITLES: Readonly<Record<string, string>> = {
  CheckHoursOfOperation: 'Check hours of operation',
  CheckMetricData: 'Check staffing',
  Compare: 'Check contact attributes',
  ConnectParticipantWithLexBot: 'Get customer input',
  CreateTask: 'Create task',
  CreateWisdomSession: 'Connect assistant',
  DisconnectParticipant: 'Disconnect',
  DistributeByPercentage: 'Distribute by percentage',
  EndFlowExecution: 'End flow',
  GetParticipantInput: 'Get customer input',
  InvokeFlowModule: 'Invoke module',
  InvokeLambdaFunction: 'AWS Lambda function',
  LoadLambdaResult: 'Load Lambda result',
  Loop: 'Loop',
  MessageParticipant: 'Play prompt',
  MessageParticipantIteratively: 'Loop prompts',
  TransferContactToAgent: 'Transfer to agent',
  TransferContactToQueue: 'Transfer to queue',
  TransferParticipantToThirdParty: 'Transfer to phone number',
  TransferToFlow: 'Transfer to flow',
  UpdateContactAttributes: 'Set contact attributes',
  UpdateContactCallbackNumber: 'Set callback number',
  UpdateContactEventHooks: 'Set event flow',
  UpdateContactRecordingAndAnalyticsBehavior: 'Set recording and analytics behavior',
  UpdateContactRecordingBehavior: 'Set recording and analytics behavior',
  UpdateContactTargetQueue: 'Set working queue',
  UpdateContactTextToSpeechVoice: 'Set voice',
  UpdateFlowLoggingBehavior: 'Set logging behavior',
  Wait: 'Wait',
};

/** A block, described for a person who looks for it in the editor. */
export function blockOf(action: Action): string {
  const title = titleOf(action);
  return title === undefined ? action.type : `${title} (${action.type})`;
}

function titleOf(action: Action): string | undefined {
  const { type } = action;
  if (type === STREAMING) return setsStreaming(action, 'Disabled') ? 'Stop media streaming' : 'Start media streaming';
  return Object.hasOwn(TITLES, type) ? TITLES[type] : undefined;
}
