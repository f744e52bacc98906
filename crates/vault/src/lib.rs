//! ume-vault
