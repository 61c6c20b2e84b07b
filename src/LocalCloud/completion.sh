# What a shell evaluates to complete the commands and options of ./vae, in bash or zsh: source <(./vae completion)
if [ -n "${ZSH_VERSION:-}" ]; then autoload -U +X bashcompinit && bashcompinit; fi
_vae() {
  local line=${COMP_LINE#* } word=${COMP_WORDS[COMP_CWORD]}
  local at=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
  COMPREPLY=()
  while IFS= read -r suggestion; do
    case $suggestion in "$word"*) COMPREPLY+=("$suggestion") ;; esac
  done < <("${COMP_WORDS[0]}" "[suggest:$at]" "$line" 2>/dev/null)
}
complete -o default -F _vae vae ./vae
