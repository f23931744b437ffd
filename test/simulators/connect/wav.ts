/** The two ends of a phone call: 16-bit samples, 8 kHz. */
export interface StereoCall {
  readonly customer: Int16Array;
  readonly agent: Int16Array;
}

/** The format of a phone call: PCM, stereo, 8 kHz, 16 bits. */
const CALL_FORMAT = { format: 1, channels: 2, sampleRateHz: 8000, bitsPerSample: 16 } as const;
/** "RIFF", the size of the file, "WAVE". */
const RIFF_HEADER_BYTES = 12;
/** A chunk's name and size. */
const CHUNK_HEADER_BYTES = 8;

/** Reads a stereo call, customer left, agent right. Throws if the file has another format. */
export function readStereoCall(file: Buffer): StereoCall {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('Not a WAV file: it does not start with RIFF and WAVE.');
  }
  const chunks = new Map<string, Buffer>();
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    const from = at + CHUNK_HEADER_BYTES;
    chunks.set(file.toString('latin1', at, at + 4), file.subarray(from, from + size));
    // Chunks start at even offsets.
    at = from + size + (size % 2);
  }
  const format = chunks.get('fmt ');
  const data = chunks.get('data');
  if (!format || !data) throw new Error('The WAV file has no "fmt " or no "data" chunk.');
  refuseOtherFormats(format);
  return split(data);
}

function refuseOtherFormats(chunk: Buffer): void {
  const format = {
    format: chunk.readUInt16LE(0),
    channels: chunk.readUInt16LE(2),
    sampleRateHz: chunk.readUInt32LE(4),
    bitsPerSample: chunk.readUInt16LE(14),
  };
  const found = JSON.stringify(format);
  const needed = JSON.stringify(CALL_FORMAT);
  if (found !== needed) throw new Error(`The WAV file is ${found}; a call is ${needed}: convert it first.`);
}

function split(data: Buffer): StereoCall {
  const frames = Math.floor(data.length / 4);
  const customer = new Int16Array(frames);
  const agent = new Int16Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    customer[frame] = data.readInt16LE(frame * 4);
    agent[frame] = data.readInt16LE(frame * 4 + 2);
  }
  return { customer, agent };
}
