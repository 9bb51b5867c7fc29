// Grey pictures in the simplest of formats, PGM (netpbm.sourceforge.net/doc/pgm.html): a line of text, then a byte for each pixel.
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export function encode({ width, height, pixels }: Image): Buffer {
  return Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), pixels]);
}

/** Throws for what is no such picture. */
export function decode(bytes: Buffer): Image {
  const end = bytes.indexOf('\n') + 1;
  const [, width, height] = /^P5 (\d+) (\d+) 255$/.exec(bytes.toString('latin1', 0, end - 1)) ?? [];
  const image = { width: Number(width), height: Number(height), pixels: bytes.subarray(end) };
  if (image.pixels.length !== image.width * image.height) throw new Error('This is no PGM picture, or a part of it is missing.');
  return image;
}

/** Half as wide and half as high: each pixel is the mean of four. */
export function halved({ width, height, pixels }: Image): Image {
  const half = { width: width >> 1, height: height >> 1 };
  const at = (x: number, y: number): number => pixels[y * width + x] ?? 0;
  const mean = (x: number, y: number): number => (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) >> 2;
  const small = Uint8Array.from({ length: half.width * half.height }, (_, index) =>
    mean(2 * (index % half.width), 2 * Math.floor(index / half.width)),
  );
  return { ...half, pixels: small };
}

/** Below each other: pictures of one width. */
export function stacked(images: readonly Image[]): Image {
  const width = images[0]?.width ?? 0;
  const height = images.reduce((sum, image) => sum + image.height, 0);
  return { width, height, pixels: Buffer.concat(images.map(({ pixels }) => pixels)) };
}
