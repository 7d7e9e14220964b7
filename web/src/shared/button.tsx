import type { ButtonHTMLAttributes, Ref } from "react";
import { classes } from "./classes";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "primary" | "danger";
  ref?: Ref<HTMLButtonElement>;
}

const KINDS = {
  plain: "border border-line bg-raised hover:bg-hover",
  primary: "bg-accent text-accent-ink hover:opacity-90",
  danger: "border border-danger text-danger hover:bg-danger hover:text-paper",
};

export function Button({ kind = "plain", className, ...rest }: Props) {
  return (
    <button
      type="button"
      className={classes(
        "inline-flex min-h-9 items-center justify-center gap-2 rounded-lg px-3.5 py-1.5 text-sm font-medium",
        "transition-colors disabled:opacity-50 pointer-coarse:min-h-11",
        KINDS[kind],
        className,
      )}
      {...rest}
    />
  );
}
