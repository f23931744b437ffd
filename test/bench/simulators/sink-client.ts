import type { Received } from './sink.ts';

/** What the sink has got so far, and how many connections it has. */
export async function totalsAt(sinkUrl: string): Promise<{ bytes: number; open: number }> {
  const response = await fetch(`${sinkUrl}/totals`);
  return (await response.json()) as { bytes: number; open: number };
}

/** What the sink has got of each call, by tag. */
export async function receivedAt(sinkUrl: string): Promise<Record<string, Received>> {
  const response = await fetch(`${sinkUrl}/calls`);
  return (await response.json()) as Record<string, Received>;
}
