# SPDX-License-Identifier: BSD-3-Clause
#
# Completion of steerctl for bash. What there is to complete comes from its own help.

_steerctl() {
  local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} previous=${COMP_WORDS[COMP_CWORD - 1]} given=() i
  case $previous in
    --token-file | --ca | --output | apply)
      if [[ $previous != apply || $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
      fi
      ;;
    --service) mapfile -t COMPREPLY < <(compgen -W 'magic_transit cdn spectrum' -- "$word"); return ;;
    --role) mapfile -t COMPREPLY < <(compgen -W 'read write' -- "$word"); return ;;
    --direction) mapfile -t COMPREPLY < <(compgen -W 'ingress egress' -- "$word"); return ;;
    --order) mapfile -t COMPREPLY < <(compgen -W 'packets rate' -- "$word"); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --api | --token-file | --ca | --account | --timeout) ((i++)) ;;
      -*) ;;
      *) given+=("${COMP_WORDS[i]}") ;;
    esac
  done
  local help
  if [[ $word == -* ]]; then
    help=$("$program" "${given[@]:0:2}" --help 2>/dev/null) || help=$("$program" "${given[@]:0:1}" --help 2>/dev/null) ||
      help=$("$program" --help 2>/dev/null)
    mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '^  (-[hV], )?--[a-z-]+' <<<"$help" | grep -oE -- '--.*')" -- "$word")
    return
  fi
  # The commands have one word or two: "  bindings list   ...".
  help=$("$program" --help 2>/dev/null | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p')
  case ${#given[@]} in
    0) mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$help" | sort -u)" -- "$word") ;;
    1) mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${given[0]} //p" <<<"$help")" -- "$word") ;;
    *) [[ ${given[1]} =~ ^(add|move)$ ]] && mapfile -t COMPREPLY < <(compgen -W 'magic_transit cdn spectrum' -- "$word") ;;
  esac
}
complete -F _steerctl steerctl
