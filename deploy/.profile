# Heroku reads this before a dyno's command: the buildpack leaves the binary here.
export PATH="$HOME/target/release:$PATH"
