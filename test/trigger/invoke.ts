import { handler } from '../../trigger/handler.ts';

// Stands where Lambda's runtime stands: the event is the first argument, the answer the last line.
const event: unknown = JSON.parse(process.argv[2] ?? 'null');
const answer = await handler(event, { getRemainingTimeInMillis: () => 8000 });
process.stdout.write(`${JSON.stringify({ answer })}\n`);
