const DOTS = Array.from({ length: 7 }, (_, day) => {
  const angle = ((day * 360) / 7 - 90) * (Math.PI / 180);
  return { x: 12 + 8.2 * Math.cos(angle), y: 12 + 8.2 * Math.sin(angle) };
});

/** Seven days as seven dots in a ring; `left` of them still to come. Decoration: words beside it say the same. */
export function Mark({ size = 24, left = 7, fading = false }: { size?: number; left?: number; fading?: boolean }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" className="shrink-0 text-accent">
      {DOTS.map(({ x, y }, day) => (
        <circle
          key={day}
          cx={x.toFixed(2)}
          cy={y.toFixed(2)}
          r={2.4}
          fill="currentColor"
          opacity={fading ? 1 - day * 0.125 : day < left ? 1 : 0.22}
        />
      ))}
    </svg>
  );
}
