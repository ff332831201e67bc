"""SOQL: text → tokens → syntax → SQL over the storage. Each step is a module and knows the one before."""
