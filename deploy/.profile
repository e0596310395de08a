# Heroku reads this before a dyno's command: the program is in bin, or where the buildpack for Rust leaves it.
export PATH="$HOME/bin:$HOME/target/release:$PATH"
