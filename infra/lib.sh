# shellcheck shell=bash
# What the scripts here share: options, dry runs, names and checks. A script defines usage() and sources this.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=$(dirname "$here")
self=infra/$(basename "$0")
dry=false
environment=${AZURE_ENV_NAME:-}
arguments=()
# What `outputs` and `capture` read for the scripts; main.bicep says what the outputs are.
# shellcheck disable=SC2034
declare resourceToken='' trainingImage='' gpu='' functionsName='' registryName='' registryEndpoint='' \
  storageUrl='' apiUrl='' liveUrl='' readyUrl='' inboxUrl='' logsUrl='' jobs='' found='' secrets='' deployment='' records='' ran=''

say() { echo "$self: $*" >&2; }

# Wrong input: what is wrong and what helps.
fail() {
  say "$@"
  exit 2
}

# option --name VALUE…: the value, or an error where there is none.
option() {
  [[ $# -ge 2 && -n $2 && $2 != --* ]] || fail "$1 needs a value. See $self --help."
  printf '%s' "$2"
}

# Takes what every script knows out of the arguments; the rest is left in `arguments`.
common() {
  while (($#)); do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --dry-run) dry=true ;;
      --environment)
        environment=$(option "$@")
        shift
        ;;
      *) arguments+=("$1") ;;
    esac
    shift
  done
}

# The names that follow from the environment's.
need_environment() {
  [[ $environment =~ ^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$ ]] ||
    fail "'$environment' is no name of an environment: give --environment with up to 40 of a-z, 0-9 and '-', or set AZURE_ENV_NAME."
  group=rg-vae-$environment
  $dry || command -v az >/dev/null || fail "the Azure CLI is missing: https://aka.ms/azure-cli. --dry-run works without it."
}

# Stands for the $ of a variable that an earlier line of a dry run sets.
dollar=$'\1'

# A word as a shell takes it.
quoted() {
  if [[ $1 =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then
    printf '%s' "$1"
  elif [[ $1 == *"$dollar"* ]]; then
    printf '"%s"' "${1//"$dollar"/\$}"
  else
    printf "'%s'" "${1//\'/\'\\\'\'}"
  fi
}

line() {
  local word text=
  for word in "$@"; do text+=" $(quoted "$word")"; done
  printf '%s' "${text:1}"
}

stage() { if $dry; then echo "# $*"; else say "$*"; fi; }

# Runs a command, or prints it.
run() {
  if $dry; then
    line "$@"
    echo
  else
    "$@"
  fi
}

# capture NAME command…: puts what the command prints into the variable.
capture() {
  local name=$1 value
  shift
  if $dry; then
    echo "$name=\$($(line "$@"))"
    printf -v "$name" '%s' "$dollar$name"
  else
    value=$("$@") || return
    printf -v "$name" '%s' "$value"
  fi
}

# The newest deployment that went well, into `deployment`: nothing where there is none, an end where az cannot tell.
find_deployment() {
  local good="starts_with(name, 'vae-$environment.') && properties.provisioningState=='Succeeded'"
  capture deployment az deployment sub list --query "sort_by([?$good], &properties.timestamp)[-1].name" --output tsv
}

# outputs NAME…: what that deployment says of itself (main.bicep), into variables of those names.
outputs() {
  local name
  [[ -n $deployment ]] || find_deployment
  [[ -n $deployment ]] || fail "no deployment of $environment went well yet; infra/deploy makes one."
  for name in "$@"; do
    capture "$name" az deployment sub show --name "$deployment" --query "properties.outputs.$name.value" --output tsv
    [[ -n ${!name} ]] || fail "the deployment $deployment does not say its $name; infra/deploy completes it."
  done
}

check_recipe() {
  local names
  names=$(cd "$root/recipes" && printf '%s, ' *.json | sed 's/\.json//g; s/, $//')
  [[ $1 =~ ^[a-z0-9][a-z0-9._-]*$ && -e $root/recipes/$1.json ]] || fail "there is no recipe '$1'; there are $names."
}

check_model() {
  [[ ${#1} -le 23 && $1 =~ ^[a-z0-9]+(-[a-z0-9]+)*$ ]] ||
    fail "'$1' cannot name a job: use up to 23 of a-z and 0-9, with single '-' between them (--model)."
}

check_name() { [[ $1 =~ ^[a-z0-9][a-z0-9._-]{0,62}$ ]] || fail "'$1' is no name of a model."; }

# check_data recipe source: the cloud sees blobs and the built-in faces, not this machine's folders.
check_data() {
  [[ -n $2 || $(<"$root/recipes/$1.json") == *'"data"'* ]] ||
    fail "recipe $1 does not say where its images are: give --data blob:training/FOLDER, and upload them there."
  [[ -z $2 || $2 =~ ^faces(:[1-9][0-9]*)?$ || $2 =~ ^blob:training(/[A-Za-z0-9._-]+)*/?$ && $2 != *..* ]] ||
    fail "--data is '$2'; a job in the cloud reads faces, faces:COUNT or blob:training/FOLDER."
}

check_number() { [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || fail "$1 is '$2'; it must be a whole number from 1."; }

# check_cron expression: five fields of numbers, *, ranges, lists and steps.
check_cron() {
  local -a fields parts names=(minute hour 'day of the month' month 'day of the week') low=(0 0 1 1 0) high=(59 23 31 12 6)
  local i part from to
  read -ra fields <<<"$1"
  [[ $1 != *$'\n'* && ${#fields[@]} -eq 5 ]] ||
    fail "the cron expression '$1' has ${#fields[@]} fields; five are needed: minute hour day month weekday, such as '0 3 * * 1'."
  for i in 0 1 2 3 4; do
    [[ ${fields[i]} != *, && ${fields[i]} != ,* && ${fields[i]} != *,,* ]] || fail "cron: the ${names[i]} '${fields[i]}' has an empty part."
    IFS=, read -ra parts <<<"${fields[i]}"
    for part in "${parts[@]}"; do
      [[ $part =~ ^(\*|([0-9]{1,2})(-([0-9]{1,2}))?)(/([1-9][0-9]?))?$ ]] ||
        fail "cron: the ${names[i]} '$part' is not understood; write *, 5, 1-5, 1,3 or */2."
      [[ ${BASH_REMATCH[1]} != '*' ]] || continue
      from=$((10#${BASH_REMATCH[2]}))
      to=$((10#${BASH_REMATCH[4]:-$from}))
      ((from >= low[i] && to <= high[i] && from <= to)) ||
        fail "cron: the ${names[i]} '$part' must be from ${low[i]} to ${high[i]}, the smaller number first."
    done
  done
}

# deploy_job name key=value…: makes or changes a training job (app/training-job.bicep).
deploy_job() {
  local name=$1
  shift
  run az deployment group create --name "$name" --resource-group "$group" --template-file "$here/app/training-job.bicep" \
    --parameters token="$resourceToken" image="$trainingImage" gpu="$gpu" "$@" --output none
}
