import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { classes } from "./classes";

interface Props extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label"> {
  /** Its name, and the tooltip. */
  label: string;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

/** A square button of 36 pixels (44 on touch screens) that has only an icon to show. */
export function IconButton({ label, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      aria-label={label}
      data-tip={label}
      className={classes(
        "inline-flex size-9 shrink-0 items-center justify-center rounded-lg text-soft transition-colors",
        "hover:bg-hover hover:text-ink disabled:opacity-40 disabled:hover:bg-transparent pointer-coarse:size-11",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
