import { once } from 'node:events';
import WebSocket from 'ws';
import { API_KEY, tagOf } from '../../load/identity.ts';

const PCM = { encoding: 'linear16', sample_rate: '8000', channels: '2', multichannel: 'true' };

/** Opens a WebSocket to Deepgram for a call's 2-channel PCM, or for its unparsed bytes. */
export async function openDeepgramSocket(url: string, call: number, form: 'pcm' | 'mkv'): Promise<WebSocket> {
  const query = new URLSearchParams({ model: 'nova-3', tag: tagOf(call), ...(form === 'pcm' ? PCM : {}) });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/listen?${query}`, {
    perMessageDeflate: false,
    headers: { authorization: `Token ${API_KEY}` },
  });
  await once(socket, 'open');
  return socket;
}
